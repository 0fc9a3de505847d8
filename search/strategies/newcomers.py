"""Random functions that nobody has considered yet."""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from grammars import Expression, Grammar
from search.strategies.strategy import Admit

# A grammar that yields nothing new in so many draws is taken to be exhausted.
DRAWS: Final = 400

DEPTH: Final = (1, 4)


def newcomer(grammar: Grammar, generator: Random, admit: Admit) -> Expression | None:
    """Draws a random function that is new, by ramped half-and-half (Koza 1992).

    Args:
        grammar: Writes it.
        generator: Decides.
        admit: Tells whether the function is new.

    Returns:
        The expression, None if there seem to be no more.
    """
    for _ in range(DRAWS):
        method: Literal["full", "grow"] = "full" if generator.random() < 0.5 else "grow"
        expression = grammar.sample(generator, depth=DEPTH, method=method)
        if admit(expression):
            return expression
    return None
