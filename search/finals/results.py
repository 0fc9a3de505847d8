"""What finals came to, computed from the journal: scores, comparisons and verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, stdev
from typing import Literal

from evaluators.evaluation.evaluation import Outcome
from evaluators.statistics.comparison import Comparison, compare, verdict
from evaluators.statistics.paired import half_width, paired_t
from search.history import (
    PROTOCOLS,
    TITLES,
    Entrant,
    History,
    Ledger,
    Look,
    Measure,
    Opening,
    Plan,
    Run,
    Stage,
)

State = Literal["training", "trained", "scored", "not held"]


@dataclass(frozen=True)
class EntrantResults:
    """One function on one task, over the seeds.

    A run that diverged counts as what a network is worth that has learnt nothing: one in `classes`
    classified rightly. A run that failed, for want of time or with its worker, counts as nothing,
    and its seed is left out of the function's comparisons.

    Attributes:
        entrant: The function.
        runs: One for each seed that counts.
        classes: Number of labels.
    """

    entrant: Entrant
    runs: tuple[Run, ...]
    classes: int

    @property
    def test_percents(self) -> list[float]:
        """Test accuracy of each seed, NaN where there is none."""
        return [percent_on_test(run, self.classes) for run in self.runs]

    @property
    def log_losses(self) -> list[float]:
        """Logarithm of the test loss of each seed, NaN where there is none."""
        return [_log_test_loss(run, self.classes) for run in self.runs]

    @property
    def test_loss(self) -> float | None:
        """Geometric mean of the test losses, in nats; None before the test data were opened."""
        mean = _mean(self.log_losses)
        return None if mean is None else math.exp(mean)

    def values(self, measure: Measure) -> list[float]:
        """Of each seed what functions are compared by, higher is better."""
        if measure.name == "test accuracy":
            return self.test_percents
        return [-value for value in self.log_losses]

    @property
    def mean_percent(self) -> float | None:
        """Mean test accuracy; None before the test data were opened."""
        return _mean(self.test_percents)

    @property
    def deviation_points(self) -> float | None:
        """Standard deviation of the test accuracy over the seeds."""
        known = [value for value in self.test_percents if not math.isnan(value)]
        return stdev(known) if len(known) > 1 else None

    @property
    def validation_percent(self) -> float | None:
        """Mean validation accuracy."""
        return _mean([percent_on_validation(run, self.classes) for run in self.runs])

    @property
    def validation_loss(self) -> float | None:
        """Mean validation loss in nats; that of a guess where training diverged."""
        return _mean([_validation_loss(run, self.classes) for run in self.runs])

    @property
    def diverged(self) -> int:
        """Seeds on which training diverged."""
        return sum(run.outcome is Outcome.DIVERGED for run in self.runs)

    @property
    def failed(self) -> int:
        """Seeds on which it failed for reasons outside the function."""
        return sum(run.outcome is Outcome.FAILED for run in self.runs)

    @property
    def seconds(self) -> float | None:
        """Mean training time of a seed."""
        return _mean([run.seconds for run in self.runs])


@dataclass(frozen=True)
class Card:
    """One stage: who took part, how they scored, what follows.

    Attributes:
        stage: What was planned.
        looks: At the validation data, in order.
        seeds: Those that count: all entrants have finished them.
        state: How far it has come.
        rows: Finalists in the order of the search, then the baselines.
        comparisons: Of every function with every rival; empty until all are scored.
        measure: By which they are made.
        beside: The same by test accuracy, in points, where that is not the measure; nothing is
            claimed by them.
    """

    stage: Stage
    looks: tuple[Look, ...]
    seeds: tuple[int, ...]
    state: State
    rows: tuple[EntrantResults, ...]
    comparisons: tuple[Comparison, ...]
    measure: Measure = PROTOCOLS[0]
    beside: tuple[Comparison, ...] = ()

    @property
    def reason(self) -> str:
        """Why it ended, in words."""
        return self.looks[-1].decision if self.looks else "it has not been looked at yet"

    def row(self, candidate_id: str) -> EntrantResults:
        """The row of an entrant."""
        return next(row for row in self.rows if row.entrant.candidate_id == candidate_id)

    def comparisons_of(self, candidate_id: str) -> tuple[Comparison, ...]:
        """One with each rival."""
        key = self.row(candidate_id).entrant.key
        return tuple(each for each in self.comparisons if each.function == key)

    def comparison(self, candidate_id: str, rival: str) -> Comparison | None:
        """Of an entrant with a rival, named as in the catalogue; None if there is none."""
        return next((c for c in self.comparisons_of(candidate_id) if c.rival == rival), None)

    def verdict(self, candidate_id: str) -> str:
        """What may be said of an entrant, in words."""
        found = self.comparisons_of(candidate_id)
        if not found:
            return "not compared yet"
        words = verdict(found, titles=TITLES, unit=self.measure.unit, digits=self.measure.digits)
        row = self.row(candidate_id)
        if not row.diverged:
            return words
        return f"{words}; it diverged on {row.diverged} of {len(row.runs)} seeds"


@dataclass(frozen=True)
class Finals:
    """Finals as they stand.

    Attributes:
        plan: What was to be done.
        cards: One a stage, the own task first.
        openings: Of test data in this campaign, by these finals and by others.
        ended: Why they ended; None if they are not finished.
    """

    plan: Plan
    cards: tuple[Card, ...]
    openings: tuple[Opening, ...]
    ended: str | None

    @property
    def own(self) -> Card:
        """That of the campaign's own task."""
        return self.cards[0]

    @cached_property
    def leader(self) -> Entrant | None:
        """The finalist with the lowest mean validation loss on the own task's fresh seeds.

        A rule that never sees the test data; None before there are seeds.
        """
        return _leader(self.own.rows)


def finals_in(history: History, *, number: int | None = None) -> Finals | None:
    """Finals of a campaign as they stand.

    Args:
        history: Of the campaign, which may be running.
        number: Which ones, counted from 1; the last by default.

    Returns:
        None if none were planned.
    """
    ledger = history.finals
    plan = ledger.last_plan if number is None else ledger.plans.get(number)
    return None if plan is None else finals_of(ledger, plan)


def finals_of(ledger: Ledger, plan: Plan) -> Finals:
    """The finals of a plan."""
    return Finals(
        plan=plan,
        cards=_cards(ledger, plan),
        openings=tuple(ledger.openings),
        ended=ending.reason if (ending := ledger.endings.get(plan.number)) else None,
    )


def finished_seeds(ledger: Ledger, plan: Plan, stage: Stage, *, at_most: int) -> tuple[int, ...]:
    """The seeds, counted from the first, that all entrants have finished."""
    seeds = []
    for seed in range(plan.first_seed, plan.first_seed + at_most):
        if not all(ledger.run(stage, identity, seed) for identity in stage.entrants):
            break
        seeds.append(seed)
    return tuple(seeds)


def widest(ledger: Ledger, plan: Plan, stage: Stage, seeds: Sequence[int]) -> float | None:
    """Half the widest interval of a finalist against a rival, in points, on validation data."""
    error_rate = plan.error_rate / len(stage.looks)
    values = {
        row.entrant.key: [percent_on_validation(run, row.classes) for run in row.runs]
        for row in _rows(ledger, plan, stage, seeds)
    }
    return half_width(
        paired_t(values[finalist.key], values[rival], error_rate=error_rate)
        for finalist in plan.finalists
        for rival in plan.rivals
    )


def percent_on_test(run: Run, classes: int) -> float:
    """Test accuracy in per cent, as it counts; see `EntrantResults`."""
    if run.outcome is Outcome.DIVERGED:
        return 100.0 / classes
    return math.nan if run.test_accuracy is None else 100.0 * run.test_accuracy


def percent_on_validation(run: Run, classes: int) -> float:
    """Validation accuracy in per cent, as it counts."""
    if run.outcome is Outcome.DIVERGED:
        return 100.0 / classes
    return 100.0 * run.curve[-1].validation_accuracy if is_scored(run) else math.nan


def is_scored(run: Run) -> bool:
    """Whether it reached its end."""
    return run.outcome is Outcome.SCORED


def _validation_loss(run: Run, classes: int) -> float:
    if run.outcome is Outcome.DIVERGED:
        return _loss_of_a_guess(classes)
    return run.curve[-1].validation_loss if is_scored(run) else math.nan


def _log_test_loss(run: Run, classes: int) -> float:
    if run.outcome is Outcome.DIVERGED:
        return math.log(_loss_of_a_guess(classes))
    # Below the least that float32 tells from 0.
    return math.nan if run.test_loss is None else math.log(max(run.test_loss, 1e-12))


def _loss_of_a_guess(classes: int) -> float:
    """In nats; the squared error of the mean for a regression, whose targets have variance 1."""
    return math.log(classes) if classes > 1 else 1.0


def _leader(rows: Iterable[EntrantResults]) -> Entrant | None:
    losses = {
        row.entrant: row.validation_loss
        for row in rows
        if row.entrant.role == "finalist" and row.validation_loss is not None
    }
    return min(losses, key=lambda entrant: losses[entrant] or 0.0, default=None)


def _cards(ledger: Ledger, plan: Plan) -> tuple[Card, ...]:
    cards = [_card(ledger, plan, stage) for stage in plan.stages]
    leader = _leader(cards[0].rows)
    gate = leader.key if leader is not None and plan.measure.has_gate else None
    return tuple(_compared(plan, card, gate) if card.state == "scored" else card for card in cards)


def _card(ledger: Ledger, plan: Plan, stage: Stage) -> Card:
    looks = ledger.looks_at(plan, stage)
    is_over = bool(looks) and looks[-1].is_last
    count = looks[-1].seeds if is_over else max(stage.looks)
    seeds = finished_seeds(ledger, plan, stage, at_most=count)
    rows = _rows(ledger, plan, stage, seeds)
    state = _state(rows, seeds, is_over=is_over)
    return Card(stage, looks, seeds, state, rows, (), plan.measure)


def _rows(
    ledger: Ledger, plan: Plan, stage: Stage, seeds: Iterable[int]
) -> tuple[EntrantResults, ...]:
    return tuple(
        EntrantResults(
            plan.entrant(identity),
            tuple(run for seed in seeds if (run := ledger.run(stage, identity, seed))),
            stage.classes,
        )
        for identity in stage.entrants
    )


def _state(rows: Iterable[EntrantResults], seeds: Sequence[int], *, is_over: bool) -> State:
    if not is_over:
        return "training"
    if not seeds:
        return "not held"
    waiting = any(is_scored(run) and run.test_accuracy is None for row in rows for run in row.runs)
    return "trained" if waiting else "scored"


def _compared(plan: Plan, card: Card, gate: str | None) -> Card:
    rows, looks = card.rows, len(card.stage.looks)

    def compared(measure: Measure, gate: str | None) -> tuple[Comparison, ...]:
        return compare(
            {row.entrant.key: row.values(measure) for row in rows},
            rivals=plan.rivals,
            looks=looks,
            error_rate=plan.error_rate,
            gate=gate,
        )

    is_by_accuracy = plan.measure.name == "test accuracy"
    return replace(
        card,
        comparisons=compared(plan.measure, gate),
        beside=() if is_by_accuracy else compared(PROTOCOLS[0], None),
    )


def _mean(values: Iterable[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else None
