"""What a function is worth and what it costs: score against arithmetic against size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from grammars import (
    PRIMITIVES,
    Activation,
    Call,
    Expression,
    canonical_form,
    functions_of,
)
from search.racing import Standing


def static_cost(expression: Expression) -> float:
    """Arithmetic of value and slope in units of ReLU's, by the table of primitives."""
    return sum(
        PRIMITIVES[node.primitive].cost for node in expression.walk() if isinstance(node, Call)
    )


@dataclass(frozen=True, slots=True)
class Price:
    """What a candidate costs whoever uses it, in its canonical form.

    Attributes:
        cost: Arithmetic, in units of ReLU's; of several functions, the mean.
        size: Nodes, of all functions together.
    """

    cost: float
    size: int

    @classmethod
    def of(cls, activation: Activation) -> Price:
        """The price of what would be exported, not of how it was bred."""
        form = canonical_form(activation)
        # Summands in another order would differ in the last digit.
        return cls(round(fmean(map(static_cost, functions_of(form))), 6), form.size)


def pareto_front(standings: Iterable[Standing]) -> list[Standing]:
    """The standings that no other surpasses: none as good is cheaper, none as cheap is better.

    Args:
        standings: Of distinct candidates.

    Returns:
        Best first; of candidates that are equal in all objectives, each.
    """
    standings = sorted(standings, key=lambda s: s.candidate.id)
    standings.sort(key=lambda s: s.rank_key, reverse=True)
    prices = [Price.of(standing.candidate.expression) for standing in standings]
    rows = list(zip(standings, prices, strict=True))
    return [
        standing
        for standing, price in rows
        if not any(_dominates(other, others, standing, price) for other, others in rows)
    ]


def _dominates(first: Standing, price: Price, second: Standing, other: Price) -> bool:
    no_worse = (
        first.rank_key >= second.rank_key and price.cost <= other.cost and price.size <= other.size
    )
    return no_worse and (first.rank_key, price) != (second.rank_key, other)
