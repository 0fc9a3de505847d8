"""Functions as a search would draw them."""

from __future__ import annotations

from random import Random

from evaluators.probing.probes import probe
from grammars import Expression, canonical, load_grammar


def functions(count: int, *, seed: int = 0) -> list[Expression]:
    """So many of the core grammar, distinct, that pass the probes."""
    random, grammar = Random(seed), load_grammar("core")
    drawn: dict[str, Expression] = {}
    while len(drawn) < count:
        expression = grammar.sample(random, depth=(1, 3))
        if probe(expression) is None:
            drawn.setdefault(str(canonical(expression)), expression)
    return list(drawn.values())
