"""How many expressions a second of one core are read, rewritten, fingerprinted and compiled."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

import jax
import jax.numpy

from grammars import (
    Expression,
    FunctionIndex,
    canonical,
    fingerprint,
    load_grammar,
    parse,
    with_partials,
)

COUNT = 2_000
COMPILED = 10
MOST_NODES = 15


def rows() -> list[dict[str, Any]]:
    """One row a measurement: its name, the rate in expressions a second, and on what."""
    expressions = _expressions(COUNT)
    texts = [str(expression) for expression in expressions]
    parse("x")  # reads the catalogue once
    index = FunctionIndex()
    numbered = list(enumerate(expressions))
    batch = expressions[:COMPILED]
    return [
        _row("parse", texts, parse),
        _row("canonical", expressions, canonical),
        _row("fingerprint", expressions, fingerprint),
        _row("index", numbered, lambda item: index.find_or_add(str(item[0]), item[1])),
        _row("compile f and f'", batch, _compile),
    ]


def _expressions(count: int) -> list[Expression]:
    random, grammar = Random(1), load_grammar("core")
    drawn: list[Expression] = []
    while len(drawn) < count:
        expression = grammar.sample(random, depth=(2, 6))
        if expression.size <= MOST_NODES:
            drawn.append(expression)
    return drawn


def _compile(expression: Expression) -> None:
    x = jax.numpy.zeros((128, 128), jax.numpy.float32)
    jax.jit(with_partials(expression)).lower(x, {}).compile()


def _row(name: str, items: list[Any], work: Callable[[Any], Any]) -> dict[str, Any]:
    begin = time.process_time()
    for item in items:
        work(item)
    seconds = time.process_time() - begin
    return {"name": name, "per_second": len(items) / seconds, "expressions": len(items)}


if __name__ == "__main__":
    for row in rows():
        print(f"{row['name']:<20}{row['per_second']:>12,.0f} a second, of {row['expressions']:,}")
