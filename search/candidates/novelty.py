"""Whether a function that was found is new to the world, as far as the catalogue knows it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from grammars import Activation, Expression, Layered
from grammars.analysis.relatives import known_as, relatives

NOVEL: Final = "not in the catalogue"
"""What is said of a function that nobody is known to have published."""


def novelty(activation: Activation) -> str:
    """Compares a function with every published one; takes up to a second, once for each.

    Args:
        activation: What was found.

    Returns:
        "known as swish"; or "relative of swish: 0.25 * swish(2 * x)", where scaling and shifting
        are all that is new; or "not in the catalogue". Of functions for the layers of a network,
        this of each: "first: known as swish; last: not in the catalogue".
    """
    if not isinstance(activation, Layered):
        return _novelty(activation)
    found = {layer: _novelty(function) for layer, function in activation.by_layer_name.items()}
    return "; ".join(f"{layer}: {words}" for layer, words in found.items())


@lru_cache(maxsize=1_000)
def _novelty(expression: Expression) -> str:
    if names := known_as(expression):
        return f"known as {', '.join(names)}"
    if kin := relatives(expression):
        return f"relative of {kin[0].name}: {kin[0].formula}"
    return NOVEL
