"""What finals say where training diverges or fails, and where test results are known already."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evaluators.datasets import load
from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from evaluators.statistics.comparison import Finding
from evaluators.tasks import find_task
from grammars import Expression, expression_id, parse
from search.finals import Finals, Plan, Split, claim, hold, is_same, opened, plan_finals, tried
from search.finals.planning import count_seen
from search.history import read_history
from search.journal.journal import Journal
from search.launching.costs import _usual
from search.settings import FinalsSettings

from .finals_simulation import TRIED, SimulatedTraining, journal_in, standings_of

FIRST, SECOND = "x * tanh(x)", "sin(x) + relu(x)"
SEED = 1_000_000


def planned(
    *texts: str,
    number: int = 1,
    named: Sequence[str] = (),
    others: Sequence[str] = (),
    **settings: object,
) -> Plan:
    usual = {"top": len(texts), "steps": 80, "seeds": 6, "max_seeds": 6, "measure": "log_loss"}
    return plan_finals(
        FinalsSettings.model_validate({**usual, **settings}),
        number=number,
        standings=standings_of(texts),
        task=find_task("digits-mlp"),
        dataset=load("digits"),
        steps=80,
        tried=TRIED,
        load=load,
        others=[(find_task(name), load(find_task(name).data)) for name in others],
        named=named,
    )


def held_in(journal: Journal, plan: Plan, training: SimulatedTraining) -> Finals:
    return hold(plan, journal, open_executor=training.open, stopping=threading.Event())


def held(folder: Path, plan: Plan, training: SimulatedTraining) -> Finals:
    with journal_in(folder) as journal:
        return held_in(journal, plan, training)


def led_by(finals: Finals) -> str:
    assert finals.leader is not None
    return finals.leader.written


@dataclass
class Troubled(SimulatedTraining):
    """Training whose scoring on the test split of one function and seed comes to nothing."""

    trouble: Outcome | None = None

    def evaluation(
        self, expression: Expression, fidelity: Fidelity, bench: Bench, split: Split
    ) -> Evaluation:
        found = super().evaluation(expression, fidelity, bench, split)
        is_troubled = split == "test" and (str(expression), fidelity.seeds[0]) == (FIRST, SEED)
        if self.trouble is None or not is_troubled:
            return found
        return replace(found, outcome=self.trouble, reason="on test data alone", per_seed=())


@dataclass
class HardSeed(SimulatedTraining):
    """Training with one seed that is hard for every function alike."""

    hard: int = SEED + 3

    def normal(self, *parts: object) -> float:
        is_luck_of_all = len(parts) == 3 and parts[1] == self.hard
        return -8.0 if is_luck_of_all else super().normal(*parts)


@dataclass
class Overconfident(SimulatedTraining):
    """Training after which every network is surer of what is wrong than a guess would be."""

    def evaluation(
        self, expression: Expression, fidelity: Fidelity, bench: Bench, split: Split
    ) -> Evaluation:
        found = super().evaluation(expression, fidelity, bench, split)
        if not found.per_seed:
            return found
        (result,) = found.per_seed
        return replace(
            found, per_seed=(replace(result, validation_loss=3.5 + result.validation_loss),)
        )


@pytest.mark.parametrize("trouble", [Outcome.DIVERGED, Outcome.FAILED])
def test_what_happens_on_test_data_chooses_no_leader(tmp_path: Path, trouble: Outcome) -> None:
    plan, merits = planned(FIRST, SECOND), {FIRST: 1.0, SECOND: 0.9}
    calm, troubled = (
        held(tmp_path / str(each), plan, Troubled(merits, noise_points=0.05, trouble=each))
        for each in (None, trouble)
    )
    assert led_by(calm) == led_by(troubled) == FIRST
    for one, other in zip(calm.own.rows, troubled.own.rows, strict=True):
        assert one.validation_losses == other.validation_losses
    row = troubled.own.row(expression_id(parse(FIRST)))
    assert (row.diverged, row.failed) == ((1, 0) if trouble is Outcome.DIVERGED else (0, 1))
    lost = row.log_losses[0]
    assert math.isnan(lost) if trouble is Outcome.FAILED else lost == math.log(math.log(10))


def test_nobody_leads_by_failing_on_a_hard_seed(tmp_path: Path) -> None:
    plan, merits = planned(FIRST, SECOND), {FIRST: 1.0, SECOND: 0.8}
    failing = frozenset({(SECOND, HardSeed.hard)})
    finals = held(tmp_path, plan, HardSeed(merits, noise_points=0.02, failing=failing))
    first, second = (finals.own.row(expression_id(parse(text))) for text in (FIRST, SECOND))
    assert first.validation_loss is not None
    assert second.validation_loss is not None
    assert second.validation_loss < first.validation_loss, "over other seeds"
    assert led_by(finals) == FIRST


def test_without_a_seed_in_common_those_lead_that_failed_least(tmp_path: Path) -> None:
    seeds = range(SEED, SEED + 6)
    failing = {(FIRST, seed) for seed in seeds[:2]} | {(SECOND, seed) for seed in seeds[2:]}
    training = SimulatedTraining({SECOND: 2.0}, failing=frozenset(failing))
    assert led_by(held(tmp_path, planned(FIRST, SECOND), training)) == FIRST


def test_divergence_on_one_task_is_told_on_the_mean(tmp_path: Path) -> None:
    plan = planned(FIRST, others=["mnist1d-mlp"], all_tasks=True)
    diverging = frozenset({(FIRST, SEED + 2), (FIRST, SEED + 4)})
    finals = held(tmp_path, plan, SimulatedTraining({FIRST: 1.0}, diverging=diverging))
    assert "it diverged on 2 of 6 seeds" in claim(finals)


def test_it_is_no_advantage_to_diverge_where_others_are_worse_than_a_guess(tmp_path: Path) -> None:
    diverging = frozenset((FIRST, SEED + number) for number in range(6))
    plan, training = planned(FIRST), Overconfident(diverging=diverging)
    before = replace(plan, protocol=3)
    bounded, unbounded = (
        held(tmp_path / str(each.protocol), each, training) for each in (plan, before)
    )
    own = expression_id(parse(FIRST))
    assert {each.finding for each in unbounded.own.comparisons_of(own)} == {Finding.BETTER}
    assert Finding.BETTER not in {each.finding for each in bounded.own.comparisons_of(own)}
    row = bounded.own.row(own)
    others = [each.log_losses for each in bounded.own.rows if each is not row]
    assert row.log_losses == [max(losses) for losses in zip(*others, strict=True)]
    assert is_same(plan, before)


def test_test_results_that_were_known_are_opened_again_and_count_among_choices(
    tmp_path: Path,
) -> None:
    training, second = SimulatedTraining(), expression_id(parse(SECOND))
    with journal_in(tmp_path) as journal:
        held_in(journal, planned(FIRST, SECOND), training)
        count = len(training.done)
        plan = planned(FIRST, SECOND, number=2, named=[second])
        plan = replace(plan, seen=count_seen(read_history(journal).finals, plan))
        finals = held_in(journal, plan, training)
        again = held_in(journal, plan, training)
    assert len(training.done) == count
    assert (plan.seen, plan.choices) == (1, 2)
    assert "those of earlier finals included, 2." in plan.rule
    assert is_same(plan, replace(plan, seen=0))
    assert Plan.from_json(plan.to_json()) == plan
    assert opened(finals) == opened(again) == "The test set of digits was opened twice."
    assert tried(finals).endswith(
        "1 finalist was chosen by hand, knowing test and validation data."
    )


def test_the_first_finals_have_seen_nothing(tmp_path: Path) -> None:
    plan = planned(FIRST, SECOND, named=[expression_id(parse(SECOND))])
    with journal_in(tmp_path) as journal:
        assert count_seen(read_history(journal).finals, plan) == 0
        finals = held_in(journal, plan, SimulatedTraining())
        assert count_seen(read_history(journal).finals, replace(plan, number=2)) == 0
    assert tried(finals).endswith("1 finalist was chosen by hand, knowing validation data.")
    assert opened(finals) == "The test set of digits was opened once."


def test_no_other_verdicts_are_told_of_where_all_have_changed(tmp_path: Path) -> None:
    @dataclass
    class Fading(SimulatedTraining):
        def evaluation(
            self, expression: Expression, fidelity: Fidelity, bench: Bench, split: Split
        ) -> Evaluation:
            lasting = self if "longer" not in bench.task else replace(self, merits={})
            return SimulatedTraining.evaluation(lasting, expression, fidelity, bench, split)

    training = Fading({FIRST: 2.0}, noise_points=0.1)
    told = claim(held(tmp_path, planned(FIRST, longer=True, transfer_seeds=6), training))
    assert told.endswith(
        "In runs of twice the steps it is not distinguishable from ReLU, Swish and GELU."
    )


def test_a_time_that_is_not_known_shifts_no_median() -> None:
    known = [1.3, 1.1, 1.2, 1.25]
    for place in range(5):
        assert _usual([*known[:place], math.nan, *known[place:]]) == pytest.approx(1.225)
    assert _usual([math.nan] * 5) == 1.0
