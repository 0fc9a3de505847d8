"""Primitives that a grammar defines from others: how a file states them, how large they grow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import numpy

from grammars.catalogue import definitions as published
from grammars.expressions.expression import NAMED_CONSTANTS, Expression, Variable, X, call
from grammars.numerics.fingerprint import same_function
from grammars.parsing.parser import ParseError, define
from grammars.primitives import PRIMITIVES
from grammars.reading.spellings import resolved

TABLE_KEYS: Final = frozenset({"is", "weight"})
# Beyond any limit.
_COUNTED: Final = 1e12


def split(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Takes the definitions out of the primitives of a grammar file.

    Args:
        content: A grammar as its file says it: `softsign = "x / (1 + abs(x))"` among the weights,
            or `softsign = { is = "x / (1 + abs(x))", weight = 2.0 }`.

    Returns:
        The same with weights alone in `primitives` and the formulas in `definitions`; what is not
        written so stays where it is, for the checks to name.
    """
    primitives, given = content.get("primitives"), content.get("definitions", {})
    if not isinstance(primitives, Mapping):
        return content
    weights, formulas = dict(primitives), dict(given) if isinstance(given, Mapping) else {}
    for name, value in primitives.items():
        match value:
            case str():
                weights[name], formulas[name] = 1.0, value
            case {"is": formula, **rest} if rest.keys() <= TABLE_KEYS:
                weights[name], formulas[name] = rest.get("weight", 1.0), formula
    definitions = formulas if isinstance(given, Mapping) else given
    return {**content, "primitives": weights, "definitions": definitions} if formulas else content


def names(content: Mapping[str, Any]) -> frozenset[str]:
    """What a grammar file means to define, rightly or not, so that its names are known."""
    primitives, given = content.get("primitives"), content.get("definitions")
    found = frozenset(given) if isinstance(given, Mapping) else frozenset()
    if not isinstance(primitives, Mapping):
        return found
    return found | {name for name, value in primitives.items() if isinstance(value, str | Mapping)}


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
        if (problem := _other_meaning(name, known[name])) is not None:
            raise ValueError(f"{name}: {problem}; choose another")
    return known


def _other_meaning(name: str, function: Expression) -> str | None:
    """What the language reads under a name, in any spelling, if that is another function."""
    meant = resolved(name, (*NAMED_CONSTANTS, "x", "param", *PRIMITIVES, *published()))
    if meant is None:
        return None
    if meant in published():
        other = published()[meant]
        is_same = same_function(function, other)
        return None if is_same else f"it is the name of the published function {other}"
    is_same = (
        meant in PRIMITIVES
        and PRIMITIVES[meant].arity == 1
        and same_function(function, call(meant, X))
    )
    return None if is_same else f"it is another spelling of {meant!r}, a name of the language"


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
