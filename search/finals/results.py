"""What finals came to, computed from the journal: scores, comparisons and verdicts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import fmean
from typing import Final, Literal

from evaluators.statistics.comparison import Comparison, compare, verdict
from evaluators.statistics.paired import half_width, paired_t
from search.finals.entrant_results import EntrantResults, Guess, is_scored, measured
from search.finals.mean_over_tasks import mean_results, mean_stage
from search.history import (
    PROTOCOLS,
    Entrant,
    History,
    Ledger,
    Look,
    Measure,
    Opening,
    Plan,
    Stage,
)
from search.history.finals_plan import Purpose

State = Literal["scored", "trained", "training", "not held"]
STATES: Final = ("scored", "trained", "training", "not held")
"""From the best to the worst."""


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
        titles: How rivals are called, by their keys.
    """

    stage: Stage
    looks: tuple[Look, ...]
    seeds: tuple[int, ...]
    state: State
    rows: tuple[EntrantResults, ...]
    comparisons: tuple[Comparison, ...]
    measure: Measure = PROTOCOLS[0]
    beside: tuple[Comparison, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

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
        words = verdict(
            found, titles=self.titles, unit=self.measure.unit, digits=self.measure.digits
        )
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
        """What the claim is about: the campaign's task, or the mean of its tasks."""
        return self.cards[0]

    @property
    def first(self) -> Card:
        """That of the campaign's first task."""
        return next(card for card in self.cards if card.stage == self.plan.stages[0])

    @property
    def times_opened(self) -> Counter[str]:
        """How often the test data of each data set were opened."""
        return Counter(opening.dataset for opening in self.openings)

    @cached_property
    def orders(self) -> Mapping[str, float]:
        """Rank correlations (Spearman 1904) of the functions' order with that in other sizes.

        By the task with the network of another size; compared are mean results on test data with
        those on the first task.
        """
        from scipy.stats import spearmanr  # which takes half a second that only this needs

        first, found = self.first, {}
        for card in self.cards:
            if card.stage.purpose != "resized" or {card.state, first.state} != {"scored"}:
                continue
            here, there = (
                [_merit(of.row(each), self.plan.measure) for each in card.stage.entrants]
                for of in (first, card)
            )
            known = _whole((*here, *there))
            # Where all are alike, as when all diverge, there is no order.
            if known and min(len(set(here)), len(set(there))) > 1:
                found[card.stage.task] = float(spearmanr(here, there).statistic)
        return found

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
    values = {row.entrant.key: row.validation_percents for row in _rows(ledger, plan, stage, seeds)}
    return half_width(
        paired_t(values[finalist.key], values[rival], error_rate=error_rate)
        for finalist in plan.finalists
        for rival in plan.rivals
    )


def _merit(row: EntrantResults, measure: Measure) -> float:
    known = measured(row.values(measure))
    return fmean(known) if known else math.nan


def _leader(rows: Iterable[EntrantResults]) -> Entrant | None:
    """The best over the seeds that all finalists have, lest one lead by failing on a hard seed.

    Where there are none, among those that failed least.
    """
    losses = {row.entrant: row.validation_losses for row in rows if row.entrant.role == "finalist"}
    seeds = [index for index, each in enumerate(zip(*losses.values(), strict=True)) if _whole(each)]
    if not seeds:
        most = max((len(measured(each)) for each in losses.values()), default=0)
        losses = {
            key: known for key, each in losses.items() if len(known := measured(each)) == most
        }
        seeds = list(range(most))
    means = {key: fmean(each[seed] for seed in seeds) for key, each in losses.items() if seeds}
    return min(means, key=means.__getitem__, default=None)


def _whole(values: Iterable[float]) -> bool:
    return not any(map(math.isnan, values))


def _cards(ledger: Ledger, plan: Plan) -> tuple[Card, ...]:
    """One a stage; where the claim is about several tasks, their mean comes first."""
    by_purpose: dict[Purpose, list[Card]] = {}
    for stage in plan.stages:
        by_purpose.setdefault(stage.purpose, []).append(_card(ledger, plan, stage))
    cards = []
    for purpose, alike in by_purpose.items():
        if purpose in ("own", "longer", "equal time") and len(alike) > 1:
            cards.append(_mean_card(alike))
        cards += alike
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
    return Card(stage, looks, seeds, state, rows, (), plan.measure, titles=plan.titles)


def _mean_card(cards: Sequence[Card]) -> Card:
    """Over the seeds that all of them have."""
    stage = mean_stage([card.stage for card in cards])
    seeds = min((card.seeds for card in cards), key=len)
    rows = [
        [
            replace(row, runs=row.runs[: len(seeds)], guesses=row.guesses[: len(seeds)])
            for row in rows
        ]
        for rows in zip(*(card.rows for card in cards), strict=True)
    ]
    last = max(cards, key=lambda card: STATES.index(card.state))
    return replace(
        last,
        stage=stage,
        seeds=seeds,
        rows=tuple(mean_results(stage, each) for each in rows),
    )


def _rows(
    ledger: Ledger, plan: Plan, stage: Stage, seeds: Iterable[int]
) -> tuple[EntrantResults, ...]:
    rows = tuple(
        EntrantResults(
            plan.entrant(identity),
            tuple(run for seed in seeds if (run := ledger.run(stage, identity, seed))),
            stage.classes,
        )
        for identity in stage.entrants
    )
    if not plan.measure.bounds_guess:
        return rows
    guess = Guess.of(stage.classes)
    by_seed = zip(*(row.runs for row in rows), strict=True)
    guesses = tuple(guess.no_better_than(runs) for runs in by_seed)
    return tuple(replace(row, guesses=guesses) for row in rows)


def _state(rows: Iterable[EntrantResults], seeds: Sequence[int], *, is_over: bool) -> State:
    if not is_over:
        return "training"
    if not seeds:
        return "not held"
    waiting = any(is_scored(run) and run.test_outcome is None for row in rows for run in row.runs)
    return "trained" if waiting else "scored"


def _compared(plan: Plan, card: Card, gate: str | None) -> Card:
    rows, looks = card.rows, len(card.stage.looks)
    # Measured on the finals on record: on other data and in networks of another size test results
    # have nothing of the luck that the leader is chosen by; after more steps they have half of it.
    is_apart = card.stage.purpose in ("transfer", "resized")

    def compared(measure: Measure, gate: str | None) -> tuple[Comparison, ...]:
        return compare(
            {row.entrant.key: row.values(measure) for row in rows},
            rivals=plan.rivals,
            looks=looks,
            error_rate=plan.error_rate,
            gate=gate,
            choices=plan.choices if gate and not is_apart else 1,
        )

    is_by_accuracy = plan.measure.name == "test accuracy"
    return replace(
        card,
        comparisons=compared(plan.measure, gate),
        beside=() if is_by_accuracy else compared(PROTOCOLS[0], None),
    )
