"""Trains candidates on all tasks of a rung, and says what they are worth together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from evaluators.evaluation.evaluation import Evaluation, OnTask, Outcome, OverTasks
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation, activation_id
from search.appraisal.course import Course, Leg
from search.appraisal.rates import best_rate, or_worst, search_rates
from search.appraisal.yardstick import Best, Yardstick, combined
from search.executors import Executor, Stopping, WorkersUnusableError
from search.history import Trained, YardsticksSet, find_training, find_yardsticks, write
from search.journal.journal import Journal


@dataclass(frozen=True)
class _OnLeg:
    """What became of one candidate on one task.

    Attributes:
        best: The training at its best rate; the one that failed, if one did.
        at: The rate and score of that.
    """

    best: Evaluation
    at: Best


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
            course = self._courses[rung]
            document = {
                leg.named: self._yardstick(course, leg, baselines).to_json() for leg in course.legs
            }
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
        by_leg = [
            self._on_leg(course, leg, candidates, first=yardstick.field_rate)
            for leg, yardstick in zip(course.legs, yardsticks, strict=True)
        ]
        yield [self._together(course, yardsticks, on_legs) for on_legs in zip(*by_leg, strict=True)]

    def _yardstick(self, course: Course, leg: Leg, baselines: Sequence[Activation]) -> Yardstick:
        middle = course.rates[len(course.rates) // 2] if course.rates else None
        exploring = replace(course, explores=True)
        found = self._on_leg(exploring, leg, baselines, first=middle)
        try:
            return Yardstick.of([each.at for each in found])
        except ValueError as error:
            reasons = "; ".join(dict.fromkeys(str(each.best.reason) for each in found))
            raise WorkersUnusableError(
                f"on {leg.named} with {course.fidelity} {error}, so that nothing can be compared "
                f"with them ({reasons})"
            ) from None

    def _on_leg(
        self,
        course: Course,
        leg: Leg,
        candidates: Sequence[Activation],
        *,
        first: float | None,
    ) -> list[_OnLeg]:
        """What became of each candidate on one task, at its best rate there."""
        if first is None:
            only = self._trained(course, leg, candidates, None)
            return [_OnLeg(each, Best(None, each.plain_score)) for each in only]
        trained: list[dict[float, Evaluation]] = [{} for _ in candidates]

        def scores(numbers: Sequence[int], rate: float) -> list[float]:
            asked = [candidates[number] for number in numbers]
            for number, each in zip(numbers, self._trained(course, leg, asked, rate), strict=True):
                trained[number][rate] = each
            return [or_worst(trained[number][rate].plain_score) for number in numbers]

        tried = search_rates(
            len(candidates), course.rates, first=first, explores=course.explores, scores=scores
        )
        return [
            _at_best(best_rate(known), evaluations)
            for known, evaluations in zip(tried, trained, strict=True)
        ]

    def _trained(
        self, course: Course, leg: Leg, candidates: Sequence[Activation], rate: float | None
    ) -> list[Evaluation]:
        """One training of each candidate, those from the journal that it holds."""
        fidelity = replace(course.fidelity, learning_rate=rate, task=leg.number)
        keys = [_key(candidate, course.rung, fidelity) for candidate in candidates]
        found = {key: find_training(self._journal, key) for key in keys}
        missing = [
            candidate for key, candidate in zip(keys, candidates, strict=True) if not found[key]
        ]
        for batch in self._executor.evaluate(missing, fidelity, stopping=self._stopping):
            trainings = {
                f"{each.candidate_id}@{_suffix(course.rung, fidelity)}": each for each in batch
            }
            write(self._journal, (Trained(key, each) for key, each in trainings.items()))
            found |= trainings
        return [evaluation for key in keys if (evaluation := found[key])]

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


def _at_best(rate: float, evaluations: Mapping[float, Evaluation]) -> _OnLeg:
    failed = [each for each in evaluations.values() if each.outcome is Outcome.FAILED]
    best = failed[0] if failed else evaluations[rate]
    return _OnLeg(best, Best(rate, best.plain_score))


def _key(candidate: Activation, rung: int, fidelity: Fidelity) -> str:
    return f"{activation_id(candidate)}@{_suffix(rung, fidelity)}"


def _suffix(rung: int, fidelity: Fidelity) -> str:
    rate = "own" if fidelity.learning_rate is None else repr(fidelity.learning_rate)
    return f"{rung}@{fidelity.task}@{rate}"
