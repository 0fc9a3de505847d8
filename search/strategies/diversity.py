"""How much the members of a population differ in structure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Final

from grammars import Call, Constant, Expression, Parameter

# All pairs of a thousand members would take longer than scoring them.
MEMBERS: Final = 100

_Tally = Counter[tuple[str, str]]


def structural_distance(first: Expression, second: Expression) -> float:
    """Jaccard distance of the multisets of parent-operand pairs, 0 (alike) to 1 (nothing shared).

    Constants count as equal, and so do trainable parameters: tuning one is no new structure.
    """
    one, other = _pairs(first), _pairs(second)
    return _distance(one, one.total(), other, other.total())


def diversity(expressions: Sequence[Expression]) -> float:
    """Mean structural distance of all pairs, 0 to 1; 1 with fewer than two expressions.

    Of more than `MEMBERS` expressions, as many are compared, taken at equal intervals.
    """
    every = -(-len(expressions) // MEMBERS)
    tallies = [_pairs(expression) for expression in expressions[:: max(1, every)]]
    weighed = [(tally, tally.total()) for tally in tallies]
    distances = [_distance(*first, *second) for first, second in combinations(weighed, 2)]
    return sum(distances) / len(distances) if distances else 1.0


def _distance(first: _Tally, size: int, second: _Tally, other_size: int) -> float:
    shared = 0
    for pair in first.keys() & second.keys():
        one, other = first[pair], second[pair]
        shared += one if one < other else other
    return 1.0 - shared / (size + other_size - shared)


def _pairs(expression: Expression) -> Counter[tuple[str, str]]:
    pairs = Counter([("", _label(expression))])
    for node in expression.walk():
        pairs.update((_label(node), _label(below)) for below in node.arguments)
    return pairs


def _label(node: Expression) -> str:
    match node:
        case Call(primitive, _):
            return primitive
        case Constant():
            return "constant"
        case Parameter():
            return "parameter"
        case _:
            return "x"
