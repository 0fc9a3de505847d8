"""Kinds of networks by the names that task files give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from evaluators.networks.chains import CNN, MLP
from evaluators.networks.network import Chain, Network
from evaluators.networks.residual import ResidualCNN, ResidualMLP
from evaluators.networks.transformer import Transformer
from evaluators.sections import deciding, read_kind, section_of

_KINDS: Final[Mapping[str, Callable[..., Network | Chain]]] = {
    "mlp": MLP,
    "cnn": CNN,
    "residual_mlp": ResidualMLP,
    "residual_cnn": ResidualCNN,
    "transformer": Transformer,
}


def read_network(section: Any, *, place: str = "network") -> Network | Chain:
    """A network from a table of a task file.

    Raises:
        SectionError: With all that is wrong.
    """
    return read_kind(_KINDS, section, place=place)


def network_section(network: Network | Chain) -> dict[str, Any]:
    """The table that `read_network` reads an equal network from."""
    return {"kind": _kind(network), **section_of(network)}


def deciding_network(network: Network | Chain) -> dict[str, Any]:
    """What of it decides on results."""
    return {"kind": _kind(network), **deciding(network)}


def _kind(network: Network | Chain) -> str:
    return next(kind for kind, made in _KINDS.items() if made is type(network))
