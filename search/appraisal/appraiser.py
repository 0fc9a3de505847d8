"""Trains candidates on all tasks of a rung, and says what they are worth together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from evaluators.evaluation.evaluation import Evaluation, OnTask, Outcome, OverTasks
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.appraisal.course import Course
from search.appraisal.rates import Tried, best_rate, or_worst, refined, wanted_rates
from search.appraisal.yardstick import Best, Yardstick, combined
from search.executors import Executor, Stopping, WorkersUnusableError
from search.executors.at_once import trained_at_once
from search.history import (
    Memory,
    Trained,
    YardsticksSet,
    find_training,
    find_yardsticks,
    remembered,
    write,
)
from search.journal.journal import Journal


@dataclass(frozen=True)
class _OnLeg:
    """What became of one candidate on one task.

    Attributes:
        best: The training at its best rate; the one that failed, if one did.
        at: The rate and score of that.
        tried: The best of the rates that were tried; the same unless it was refined.
    """

    best: Evaluation
    at: Best
    tried: float | None


_Wanted = tuple[int, float | None, list[int]]
"""The index of a leg, a learning rate (None is the recipe's) and the numbers of candidates."""

_ByRate = dict[float | None, Evaluation]


class Appraiser:
    """Evaluates candidates on a rung of several tasks or learning rates.

    Every single training is in the journal before it counts, so that a campaign which was stopped
    within a rung goes on within it.
    """

    def __init__(
        self,
        journal: Journal,
        executor: Executor,
        courses: Sequence[Course],
        *,
        aggregate: str | Mapping[str, float],
        stopping: Stopping,
    ) -> None:
        """Connects them.

        Args:
            journal: Where single trainings are looked up and recorded.
            executor: Does the training.
            courses: What each rung consists of.
            aggregate: See `combined`.
            stopping: Ends evaluating after the running batches.
        """
        self._journal, self._executor = journal, executor
        self._courses = {course.rung: course for course in courses}
        self._aggregate, self._stopping = aggregate, stopping
        self._yardsticks: dict[int, list[Yardstick]] = {}

    @property
    def rungs(self) -> tuple[int, ...]:
        """Numbers of the rungs that have a course."""
        return tuple(self._courses)

    def measure_by(self, baselines: Sequence[Activation], rung: int) -> None:
        """Trains the baselines on a rung, each at its own best rates, and measures by them.

        Raises:
            WorkersUnusableError: If no baseline learns anything on one of the tasks.
        """
        recorded = find_yardsticks(self._journal, rung)
        if recorded is None:
            document = self._yardsticks_by(baselines, self._courses[rung])
            write(self._journal, [YardsticksSet(rung, document)])
            recorded = document
        self._yardsticks[rung] = [
            Yardstick.from_json(recorded[leg.named]) for leg in self._courses[rung].legs
        ]

    def evaluate(self, candidates: Sequence[Activation], rung: int) -> Iterator[list[Evaluation]]:
        """Yields one evaluation a candidate, in their order.

        Raises:
            Interrupted: Once stopping is set and the running batches are delivered.
        """
        course, yardsticks = self._courses[rung], self._yardsticks[rung]
        by_leg = self._on_legs(course, candidates, firsts=[each.field_rate for each in yardsticks])
        yield [self._together(course, yardsticks, on_legs) for on_legs in zip(*by_leg, strict=True)]

    def _yardsticks_by(
        self, baselines: Sequence[Activation], course: Course
    ) -> dict[str, dict[str, Any]]:
        middle = course.rates[len(course.rates) // 2] if course.rates else None
        exploring = replace(course, explores=True)
        by_leg = self._on_legs(exploring, baselines, firsts=[middle] * len(course.legs))
        document = {}
        for leg, found in zip(course.legs, by_leg, strict=True):
            try:
                # The field's rate is one of those that are tried.
                theirs = [Best(each.tried, each.at.score) for each in found]
                document[leg.named] = Yardstick.of(theirs).to_json()
            except ValueError as error:
                reasons = "; ".join(dict.fromkeys(str(each.best.reason) for each in found))
                raise WorkersUnusableError(
                    f"on {leg.named} with {course.fidelity} {error}, so that nothing can be "
                    f"compared with them ({reasons})"
                ) from None
        return document

    def _on_legs(
        self, course: Course, candidates: Sequence[Activation], *, firsts: Sequence[float | None]
    ) -> list[list[_OnLeg]]:
        """What became of each candidate on each task, at its best rate there."""
        trained: list[list[_ByRate]] = [[{} for _ in candidates] for _ in course.legs]
        everybody = list(range(len(candidates)))
        wanted: list[_Wanted] = [(leg, first, everybody) for leg, first in enumerate(firsts)]
        while wanted:
            found = self._trained(course, candidates, wanted, course.choosing)
            for (leg, rate, numbers), evaluations in zip(wanted, found, strict=True):
                for number, each in zip(numbers, evaluations, strict=True):
                    trained[leg][number][rate] = each
            wanted = list(_further(course, trained)) if course.explores else []
        on_legs = [[_at_best(each) for each in by_candidate] for by_candidate in trained]
        if course.rate_seeds:
            self._score_at_own_rates(course, candidates, trained, on_legs)
        return on_legs

    def _score_at_own_rates(
        self,
        course: Course,
        candidates: Sequence[Activation],
        trained: Sequence[Sequence[_ByRate]],
        on_legs: list[list[_OnLeg]],
    ) -> None:
        """Has the seeds that chose no rate decide, at each candidate's own, if it learns."""
        wanted: list[_Wanted] = [
            (leg, refined(_tried(trained[leg][number])), [number])
            for leg, by_candidate in enumerate(on_legs)
            for number, each in enumerate(by_candidate)
            if each.at.score is not None and each.best.outcome is Outcome.SCORED
        ]
        found = self._trained(course, candidates, wanted, course.scoring)
        for (leg, rate, (number,)), (evaluation,) in zip(wanted, found, strict=True):
            at = Best(rate, evaluation.plain_score)
            on_legs[leg][number] = replace(on_legs[leg][number], best=evaluation, at=at)

    def _trained(
        self,
        course: Course,
        candidates: Sequence[Activation],
        wanted: Sequence[_Wanted],
        granted: Fidelity,
    ) -> list[list[Evaluation]]:
        """One training of each candidate that is wanted, those from the journal that it holds."""
        asked = [
            (
                replace(granted, learning_rate=rate, task=course.legs[leg].number),
                [candidates[number] for number in numbers],
            )
            for leg, rate, numbers in wanted
        ]
        memory: Memory[Fidelity] = Memory(
            key=lambda identity, how: f"{identity}@{_suffix(course, how)}",
            find=partial(find_training, self._journal),
            keep=lambda some: write(self._journal, (Trained(*each) for each in some.items())),
        )
        return remembered(
            asked,
            memory=memory,
            train=lambda missing: trained_at_once(self._executor, missing, stopping=self._stopping),
        )

    def _together(
        self, course: Course, yardsticks: Sequence[Yardstick], on_legs: Sequence[_OnLeg]
    ) -> Evaluation:
        """One evaluation of what became of a candidate on all tasks."""
        first = on_legs[0].best
        seconds = math.fsum(each.best.seconds for each in on_legs)
        record = replace(first, fidelity=course.fidelity, seconds=seconds)
        for leg, each in zip(course.legs, on_legs, strict=True):
            if each.best.outcome is Outcome.FAILED:
                reason = f"on {leg.named}: {each.best.reason}"
                return replace(record, outcome=Outcome.FAILED, reason=reason, per_seed=())
        if all(each.at.score is None for each in on_legs):
            reason = f"on every task; on {course.legs[0].named}: {first.reason}"
            return replace(record, outcome=Outcome.DIVERGED, reason=reason)
        advantages = [
            yardstick.advantage(each.at.score)
            for yardstick, each in zip(yardsticks, on_legs, strict=True)
        ]
        score = combined(advantages, self._aggregate, [leg.named for leg in course.legs])
        tasks = tuple(
            OnTask(leg.bench.task, leg.bench.dataset, each.at.rate, each.at.score, advantage)
            for leg, each, advantage in zip(course.legs, on_legs, advantages, strict=True)
        )
        shown = next(each.best for each in on_legs if each.at.score is not None)
        return replace(
            shown,
            fidelity=course.fidelity,
            seconds=seconds,
            over_tasks=OverTasks(score, tasks),
        )


def _further(course: Course, trained: Sequence[Sequence[_ByRate]]) -> Iterator[_Wanted]:
    """What must be trained before the best rates are known to be so."""
    for leg, by_candidate in enumerate(trained):
        tried = [_tried(each) for each in by_candidate]
        for rate, numbers in (wanted_rates(tried, course.rates) if course.rates else {}).items():
            yield leg, rate, numbers


def _tried(evaluations: _ByRate) -> Tried:
    return {
        rate: or_worst(each.plain_score) for rate, each in evaluations.items() if rate is not None
    }


def _at_best(evaluations: _ByRate) -> _OnLeg:
    tried = _tried(evaluations)
    rate = best_rate(tried) if tried else None
    failed = [each for each in evaluations.values() if each.outcome is Outcome.FAILED]
    best = failed[0] if failed else evaluations[rate]
    return _OnLeg(best, Best(rate, best.plain_score), rate)


def _suffix(course: Course, fidelity: Fidelity) -> str:
    rate = "own" if fidelity.learning_rate is None else repr(fidelity.learning_rate)
    chosen = "@chosen" if course.rate_seeds and fidelity.seeds == course.scoring.seeds else ""
    return f"{course.rung}@{fidelity.task}@{rate}{chosen}"
