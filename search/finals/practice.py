"""What choosing the luckiest of many on one seed would have claimed from the same data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Final

from evaluators.evaluation.evaluation import Evaluation, Outcome
from grammars import expression_id, parse, shortened
from search.finals.entrant_results import EntrantResults
from search.finals.results import Card, Finals, finals_in
from search.history import Entrant, History

_REFERENCE: Final = "relu"


@dataclass(frozen=True)
class LuckOfSearch:
    """The highest accuracy that any function reached with one seed of the search.

    Attributes:
        functions: How many it is the highest of, at the same fidelity.
        steps: Of each training run.
        seed: The one seed.
        expression: Of the luckiest.
        percent: Its validation accuracy there.
        relu_percent: ReLU's, same seed and steps.
        fresh_points: What the same function gains on ReLU on the validation data of fresh seeds in
            the finals, on average; None if it was no finalist.
    """

    functions: int
    steps: int
    seed: int
    expression: str
    percent: float
    relu_percent: float
    fresh_points: float | None

    @property
    def claimed_points(self) -> float:
        """The gain on ReLU that would have been claimed."""
        return self.percent - self.relu_percent


@dataclass(frozen=True)
class LuckOfTest:
    """The best of the finalists by test accuracy, had each been trained once.

    Attributes:
        functions: Finalists to choose from.
        seeds: Over which the following are averages: what one would claim with any of them.
        claimed_points: Gain of the best on ReLU, both with that seed.
        honest_points: Gain of the same function on average over all other seeds.
    """

    functions: int
    seeds: int
    claimed_points: float
    honest_points: float


@dataclass(frozen=True)
class RivalPractice:
    """Best-of-N selection on one seed; None where the data for it are missing."""

    search: tuple[LuckOfSearch, ...]
    test: LuckOfTest | None

    def to_json(self) -> dict[str, Any]:
        """A JSON document."""
        lucky = [{**asdict(luck), "claimed_points": luck.claimed_points} for luck in self.search]
        return {"search": lucky, "test": None if self.test is None else asdict(self.test)}


def rival_practice(history: History) -> RivalPractice | None:
    """What best-of-N selection on one seed would have claimed from a campaign's own data.

    Cawley and Talbot (On Over-fitting in Model Selection and Subsequent Selection Bias in
    Performance Evaluation, 2010) describe the bias: the best of many noisy scores is too good.

    Args:
        history: Of a campaign that has finals.

    Returns:
        None if it has none.
    """
    finals = finals_in(history)
    if finals is None:
        return None
    by_fidelity: dict[tuple[str, int, int], list[Evaluation]] = {}
    for evaluated in history.evaluations:
        evaluation = evaluated.evaluation
        if evaluation.outcome is not Outcome.SCORED:
            continue
        # Of several tasks the figures are of the first that it did not diverge on.
        key = evaluation.task, evaluation.fidelity.steps, evaluation.per_seed[0].seed
        by_fidelity.setdefault(key, []).append(evaluation)
    lucky = (_luck_of_search(each, finals) for _, each in sorted(by_fidelity.items()))
    return RivalPractice(tuple(luck for luck in lucky if luck), _luck_of_test(finals.own))


def _luck_of_search(evaluations: Iterable[Evaluation], finals: Finals) -> LuckOfSearch | None:
    found = {evaluation.candidate_id: evaluation for evaluation in evaluations}
    relu = found.get(expression_id(parse(_REFERENCE)))
    baselines = {e.candidate_id for e in finals.plan.entrants if e.role == "baseline"}
    discovered = [each for key, each in found.items() if key not in baselines]
    if relu is None or not discovered:
        return None
    luckiest = max(discovered, key=lambda each: (_first_percent(each), each.candidate_id))
    return LuckOfSearch(
        functions=len(discovered),
        steps=luckiest.fidelity.steps,
        seed=luckiest.per_seed[0].seed,
        expression=shortened(luckiest.canonical, written=luckiest.expression),
        percent=_first_percent(luckiest),
        relu_percent=_first_percent(relu),
        fresh_points=_fresh_points(finals, luckiest.candidate_id),
    )


def _first_percent(evaluation: Evaluation) -> float:
    return 100.0 * evaluation.per_seed[0].validation_accuracy


def _fresh_points(finals: Finals, candidate_id: str) -> float | None:
    if candidate_id not in {entrant.candidate_id for entrant in finals.plan.finalists}:
        return None
    card = finals.own
    own, relu = card.row(candidate_id), _reference_row(card)
    gains = _differences(own.validation_percents, relu.validation_percents)
    return fmean(gains) if gains else None


def _luck_of_test(card: Card) -> LuckOfTest | None:
    """For each seed the best finalist, its gain there, and its gain on the others."""
    if card.state != "scored" or len(card.seeds) < 2:
        return None
    relu = _reference_row(card).test_percents
    gains: Mapping[Entrant, list[float]] = {
        row.entrant: [value - other for value, other in zip(row.test_percents, relu, strict=True)]
        for row in card.rows
        if row.entrant.role == "finalist"
    }
    claimed, honest = [], []
    for index in range(len(card.seeds)):
        known = {e: values[index] for e, values in gains.items() if not math.isnan(values[index])}
        if not known:
            continue
        best = max(known, key=lambda entrant: known[entrant])
        others = [v for n, v in enumerate(gains[best]) if n != index and not math.isnan(v)]
        if not others:
            continue
        claimed.append(known[best])
        honest.append(fmean(others))
    if not claimed:
        return None
    return LuckOfTest(len(gains), len(claimed), fmean(claimed), fmean(honest))


def _reference_row(card: Card) -> EntrantResults:
    return next(row for row in card.rows if row.entrant.name == _REFERENCE)


def _differences(first: list[float], second: list[float]) -> list[float]:
    gains = (a - b for a, b in zip(first, second, strict=True))
    return [gain for gain in gains if not math.isnan(gain)]
