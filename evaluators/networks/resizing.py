"""The same network wider, narrower, deeper or shallower: does a ranking outlive its size?"""

from __future__ import annotations

from dataclasses import replace

from evaluators.networks.chains import CNN, MLP
from evaluators.networks.kinds import AnyNetwork
from evaluators.networks.residual import ResidualCNN, ResidualMLP
from evaluators.networks.transformer import Transformer


def resized(network: AnyNetwork, *, width: float = 1.0, depth: float = 1.0) -> AnyNetwork:
    """The network with so many times the units or channels in every layer, and so many layers.

    Both are rounded, to at least one; the heads of a transformer keep their number.

    Raises:
        ValueError: If it is a function of a user's own, whose size nobody here knows.
    """
    match network:
        case MLP(hidden=hidden):
            wide = [_times(width, units) for units in hidden]
            count = _times(depth, len(wide))
            # Layers of different sizes keep their proportions over the depth.
            return replace(
                network, hidden=tuple(wide[n * len(wide) // count] for n in range(count))
            )
        case CNN():
            return replace(
                network,
                first_channels=_times(width, network.first_channels),
                hidden_layers=_times(depth, network.hidden_layers),
            )
        case ResidualMLP():
            return replace(
                network, width=_times(width, network.width), blocks=_times(depth, network.blocks)
            )
        case Transformer():
            each = _times(width, network.width // network.heads)
            return replace(
                network, width=each * network.heads, blocks=_times(depth, network.blocks)
            )
        case ResidualCNN():
            return replace(
                network,
                channels=max(2, _times(width, network.channels)),
                blocks=_times(depth, network.blocks),
            )
    raise ValueError(
        "only networks of the kinds that task files name can be made wider or deeper, and this one "
        "is a function of your own; leave out what asks for another size"
    )


def _times(factor: float, count: int) -> int:
    return max(1, round(factor * count))
