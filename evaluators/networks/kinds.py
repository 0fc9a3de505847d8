"""Kinds of networks by the names that task files give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from evaluators.networks.chains import CNN, MLP
from evaluators.networks.network import Chain, Network
from evaluators.networks.own import OwnNetwork
from evaluators.networks.residual import ResidualCNN, ResidualMLP
from evaluators.networks.transformer import Transformer
from evaluators.reading.given_functions import read_function
from evaluators.reading.sections import (
    SectionError,
    deciding,
    read_kind,
    read_section,
    section_of,
)

AnyNetwork = Network | Chain | OwnNetwork
"""What a task may have."""

KINDS: Final[Mapping[str, Callable[..., Network | Chain]]] = {
    "mlp": MLP,
    "cnn": CNN,
    "residual_mlp": ResidualMLP,
    "residual_cnn": ResidualCNN,
    "transformer": Transformer,
}


def read_network(section: Any, *, folder: Path = Path(), place: str = "network") -> AnyNetwork:
    """A network from a table of a task file.

    Args:
        section: The table; it names its kind, or a function of a user's own.
        folder: Where relative paths begin.
        place: The dotted path of the table.

    Raises:
        SectionError: With all that is wrong.
    """
    if isinstance(section, Mapping) and "function" in section:
        function = read_function(section["function"], folder=folder, place=f"{place}.function")
        return read_section(OwnNetwork, {**section, "function": function}, place=place)
    return read_kind(KINDS, section, place=place)


def network_section(network: AnyNetwork) -> dict[str, Any]:
    """The table that `read_network` reads an equal network from."""
    if isinstance(network, OwnNetwork):
        return section_of(network)
    return {"kind": _kind(network), **section_of(network)}


def deciding_network(network: AnyNetwork) -> dict[str, Any]:
    """What of it decides on results."""
    if isinstance(network, OwnNetwork):
        return {**deciding(network), "function": network.function.decides}
    return {"kind": _kind(network), **deciding(network)}


def _kind(network: AnyNetwork) -> str:
    for kind, made in KINDS.items():
        if made is type(network):
            return kind
    raise SectionError(
        [
            (
                "network",
                f"there is no kind of the class {type(network).__name__}; there are "
                f"{', '.join(KINDS)}; give a function that returns a pair (init, apply)",
            )
        ]
    )
