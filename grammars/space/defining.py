"""Primitives that a grammar defines from others: how a file states them, how large they grow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import numpy

from grammars.catalogue import definitions as published
from grammars.expressions.expression import Expression, Variable
from grammars.numerics.fingerprint import same_function
from grammars.parsing.parser import ParseError, define

_KEYS: Final = {"is", "weight"}
# Beyond any limit.
_COUNTED: Final = 1e12


def split(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Takes the definitions out of the primitives of a grammar file.

    Args:
        content: A grammar as its file says it: `softsign = "x / (1 + abs(x))"` among the weights,
            or `softsign = { is = "x / (1 + abs(x))", weight = 2.0 }`.

    Returns:
        The same with weights alone in `primitives` and the formulas in `definitions`.
    """
    primitives = content.get("primitives")
    if not isinstance(primitives, Mapping):
        return content
    weights, formulas = dict(primitives), dict(content.get("definitions") or {})
    for name, value in primitives.items():
        match value:
            case str():
                weights[name], formulas[name] = 1.0, value
            case {"is": formula, **rest} if rest.keys() <= _KEYS:
                weights[name], formulas[name] = rest.get("weight", 1.0), formula
    return {**content, "primitives": weights, "definitions": formulas} if formulas else content


def read(formulas: Mapping[str, str]) -> Mapping[str, Expression]:
    """Reads definitions, each of which may use those before it.

    Raises:
        ValueError: With the name of what cannot be read, and why.
    """
    return _read(tuple(formulas.items()))


@lru_cache(maxsize=64)
def _read(formulas: tuple[tuple[str, str], ...]) -> Mapping[str, Expression]:
    known: dict[str, Expression] = {}
    for name, text in formulas:
        try:
            known[name] = define(name, text, defined=known)
        except ParseError as error:
            raise ValueError(f"{name}: {error}") from None
        if name in published() and not same_function(known[name], published()[name]):
            raise ValueError(
                f"{name}: it is the name of the published function {published()[name]}; choose "
                "another"
            )
    return known


def largest(defined: Mapping[str, Expression], size: int, deepest: int) -> int:
    """At most how many nodes an expression has once its definitions are written out.

    Args:
        defined: The definitions.
        size: Nodes of the expression.
        deepest: How many definitions may stand in one another.
    """
    copies = [sum(isinstance(n, Variable) for n in d.walk()) for d in defined.values()]
    own = [d.size - count for d, count in zip(defined.values(), copies, strict=True)]
    inner = numpy.zeros(size + 1)
    for level in range(deepest + 1):
        most = numpy.zeros(size + 1)
        for nodes in range(1, size + 1):
            # A call of several operands, however they share the nodes.
            shared = most[: nodes + 1] + most[nodes::-1]
            written = [o + c * inner[nodes - 1] for o, c in zip(own, copies, strict=True) if level]
            most[nodes] = min(max(1.0, nodes, *written, shared.max()), _COUNTED)
        inner = most
    return int(inner[size])
