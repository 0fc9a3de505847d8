"""The same network with more units, to ask whether a ranking outlives its size."""

from __future__ import annotations

from dataclasses import replace

from evaluators.networks.chains import CNN, MLP
from evaluators.networks.kinds import AnyNetwork
from evaluators.networks.residual import ResidualCNN, ResidualMLP
from evaluators.networks.transformer import Transformer


def widened(network: AnyNetwork, factor: int = 2) -> AnyNetwork:
    """The network with `factor` times the units or channels in every layer.

    Raises:
        ValueError: If it is a function of a user's own, whose width nobody here knows.
    """
    match network:
        case MLP():
            return replace(network, hidden=tuple(factor * units for units in network.hidden))
        case CNN():
            return replace(network, first_channels=factor * network.first_channels)
        case ResidualMLP() | Transformer():
            return replace(network, width=factor * network.width)
        case ResidualCNN():
            return replace(network, channels=factor * network.channels)
    raise ValueError(
        "only networks of the kinds that task files name can be made wider, and this one is a "
        "function of your own; calibrate without a wider one"
    )
