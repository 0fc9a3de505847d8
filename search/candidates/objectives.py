"""What is wanted of a function: its score, its cost and its size, each a row of one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from statistics import fmean
from typing import Final, Literal

from grammars import PRIMITIVES, Activation, Call, Expression, canonical_form, functions_of
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing


@dataclass(frozen=True)
class Objective:
    """One thing that is wanted of a function.

    Attributes:
        name: As tables and MLflow call it.
        meaning: In words, with its unit, as an axis says it.
        value: The number.
        direction: Whether more of it is better, or less.
        is_trained: Whether training measures it. Such values can't be compared between rungs; there
            the higher rung is better, since what climbed was among the best below.
        digits: After the decimal point, where people read it.
    """

    name: str
    meaning: str
    value: Callable[[Standing], float]
    direction: Literal["maximise", "minimise"]
    is_trained: bool = False
    digits: int = 0

    def written(self, standing: Standing) -> str:
        """The number as people read it."""
        return f"{self.value(standing):.{self.digits}f}"

    def key(self, standing: Standing) -> tuple[float, ...]:
        """Orders standings; a greater key is better."""
        value = self.value(standing)
        upwards = value if self.direction == "maximise" else -value
        return (standing.rung, upwards) if self.is_trained else (upwards,)


def _score(standing: Standing) -> float:
    return standing.rank_key[1]


def _cost(standing: Standing) -> float:
    return _cost_and_size(standing.candidate)[0]


def _size(standing: Standing) -> float:
    return _cost_and_size(standing.candidate)[1]


# A front asks for both of every candidate, and a report draws several fronts.
@lru_cache(maxsize=2**16)
def _cost_and_size(candidate: Candidate) -> tuple[float, int]:
    form = candidate.canonical
    return _cost_of_form(form), form.size


_ROWS: Final = (
    Objective("score", "score (higher is better)", _score, "maximise", is_trained=True, digits=3),
    Objective("cost", "cost of f and f', in units of ReLU's", _cost, "minimise", digits=1),
    Objective("size", "nodes of the expression", _size, "minimise"),
)

OBJECTIVES: Final[dict[str, Objective]] = {row.name: row for row in _ROWS}
"""By name: what NSGA-II weighs, the Pareto front, the report and MLflow; a further one is a row."""


def cost_of(activation: Activation) -> float:
    """Arithmetic of f and f' in units of ReLU's; of several functions, the mean.

    That of the canonical form: of what would be exported, not of how it was bred.
    """
    return _cost_of_form(canonical_form(activation))


def static_cost(expression: Expression) -> float:
    """Arithmetic of f and f' in units of ReLU's as it is written, by the table of primitives."""
    return sum(
        PRIMITIVES[node.primitive].cost for node in expression.walk() if isinstance(node, Call)
    )


def _cost_of_form(form: Activation) -> float:
    # Summands in another order would differ in the last digit.
    return round(fmean(map(static_cost, functions_of(form))), 6)


def values_of(standing: Standing) -> dict[str, float]:
    """The value of every objective, by its name."""
    return {name: objective.value(standing) for name, objective in OBJECTIVES.items()}


def burdens(standings: Sequence[Standing]) -> list[tuple[float, ...]]:
    """What is to be minimised of each standing, one number for each objective.

    The rank (0 is best) stands for what training measures, since its values can't be compared
    between rungs; of equals the one that comes first has the better rank.
    """
    columns = [_burden(objective, standings) for objective in OBJECTIVES.values()]
    return list(zip(*columns, strict=True))


def _burden(objective: Objective, standings: Sequence[Standing]) -> list[float]:
    keys = [objective.key(standing) for standing in standings]
    if not objective.is_trained:
        return [-key[0] for key in keys]
    ranks = [0.0] * len(keys)
    for rank, index in enumerate(sorted(range(len(keys)), key=keys.__getitem__, reverse=True)):
        ranks[index] = rank
    return ranks


def front_of(standings: Iterable[Standing]) -> list[Standing]:
    """The Pareto front of a campaign: among those on the highest rung that was reached."""
    return pareto_front(on_highest_rung(list(standings)))


def on_highest_rung(standings: Sequence[Standing]) -> list[Standing]:
    """Those whose scores can be compared with those of the best."""
    highest = max((standing.rung for standing in standings), default=0)
    return [standing for standing in standings if standing.rung == highest]


def pareto_front(standings: Iterable[Standing]) -> list[Standing]:
    """The standings that no other dominates: none is as good in every objective and better in one.

    Args:
        standings: Of distinct candidates.

    Returns:
        Best first, by rung and score; of candidates that are equal in all objectives, each.
    """
    front: list[tuple[tuple[tuple[float, ...], ...], Standing]] = []
    keyed = [(tuple(each.key(s) for each in OBJECTIVES.values()), s) for s in standings]
    # Who dominates another comes before it in this order; so looking at the front is enough.
    for keys, standing in sorted(keyed, key=itemgetter(0), reverse=True):
        if not any(_dominates(others, keys) for others, _ in front):
            front.append((keys, standing))
    by_id = sorted((standing for _, standing in front), key=lambda each: each.candidate.id)
    return sorted(by_id, key=lambda standing: standing.rank_key, reverse=True)


def _dominates(first: Sequence[tuple[float, ...]], second: Sequence[tuple[float, ...]]) -> bool:
    return first != second and all(a >= b for a, b in zip(first, second, strict=True))
