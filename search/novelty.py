"""Whether a function that was found is new to the world, as far as the catalogue knows it."""

from __future__ import annotations

from functools import lru_cache

from grammars import Expression
from grammars.relatives import known_as, relatives


@lru_cache(maxsize=1_000)
def novelty(expression: Expression) -> str:
    """Compares a function with every published one; takes up to a second, once for each.

    Args:
        expression: What was found.

    Returns:
        "known as swish"; or "relative of swish: 0.25 * swish(2 * x)", where scaling and shifting
        are all that is new; or "not in the catalogue".
    """
    if names := known_as(expression):
        return f"known as {', '.join(names)}"
    if kin := relatives(expression):
        return f"relative of {kin[0].name}: {kin[0].formula}"
    return "not in the catalogue"
