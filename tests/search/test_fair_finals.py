"""Finals at each function's own learning rate, on the mean of tasks, against more rivals."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.datasets import load
from evaluators.evaluation.evaluation import Evaluation, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from evaluators.statistics.comparison import Finding
from evaluators.statistics.paired import paired_t
from evaluators.tasks import find_task
from grammars import Expression, expression_id, parse
from search.appraisal.rates import refined
from search.candidates.candidate import Candidate
from search.executors import Interrupted
from search.finals import (
    RIVALS,
    Finals,
    FinalsError,
    Plan,
    Rival,
    Split,
    claim,
    hold,
    is_same,
    orders,
    plan_finals,
)
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.costs import Timekeeper, with_equal_time
from search.launching.rivals import check_rivals, choose_rivals
from search.launching.tuning import Tuner, with_own_rates
from search.settings import FinalsSettings, SettingsError
from search.settings.reading import checked
from search.standings.replicate import named_alike

from .finals_simulation import TRIED, SimulatedTraining, journal_in, standings_of, unscored

SCALES = (0.4, 0.6, 0.7, 1.3, 1.6, 2.0, 2.7, 3.0)
SCALED = tuple(f"{scale} * gelu(x)" for scale in SCALES)
DIGITS, OTHER = "digits-mlp", "mnist1d-mlp"


def identity(text: str) -> str:
    return expression_id(parse(text))


@dataclass
class Scaled(SimulatedTraining):
    """Training in which a function's scale acts as a factor of the learning rate alone.

    Away from the best product of both, log losses rise as they do on MNIST: by 0.08 for a factor of
    two. All functions without a scale have their best rate at `best`.

    Attributes:
        scales: By id.
        gains: In log loss, by id and task; 0 where none is given.
        noise: Standard deviation of a run's log loss.
        best: The product at which losses are lowest.
        seconds: Of a training, by id; 1 where none are given. The first with a seed takes half a
            second more, in which what all others with it need is made.
        asked: Expression, rate and seeds of each evaluation.
    """

    scales: Mapping[str, float] = field(default_factory=dict)
    gains: Mapping[tuple[str, str], float] = field(default_factory=dict)
    noise: float = 0.03
    best: float = 0.005
    seconds: Mapping[str, float] = field(default_factory=dict)
    asked: list[tuple[str, float | None, tuple[int, ...]]] = field(default_factory=list)

    def evaluation(
        self, expression: Expression, fidelity: Fidelity, bench: Bench, split: Split
    ) -> Evaluation:
        is_first = all(seeds != fidelity.seeds for *_, seeds in self.asked)
        self.asked.append((str(expression), fidelity.learning_rate, fidelity.seeds))
        record = unscored(expression, bench)
        rate = fidelity.learning_rate or next(
            find_task(name).recipe.learning_rate for name in (DIGITS, OTHER) if name in bench.task
        )
        key = record.candidate_id
        away = math.log2(rate * self.scales.get(key, 1.0) / self.best)
        lowest = 0.08 * away**2 - 2.5 - self.gains.get((key, bench.task), 0.0)
        drawn = bench.task, key, round(1e6 * rate)
        return replace(
            record,
            fidelity=fidelity,
            per_seed=tuple(
                SeedResult(
                    seed, math.exp(lowest + self.noise * self.luck(split, *drawn, seed)), 0.9
                )
                for seed in fidelity.seeds
            ),
            # No two are measured alike.
            seconds=0.5 * is_first + self.seconds.get(key, 1.0) * (1 + 1e-6 * len(self.asked)),
        )


def wanted(**settings: Any) -> FinalsSettings:
    usual = {"seeds": 10, "max_seeds": 10, "steps": 80, "measure": "log_loss"}
    return FinalsSettings.model_validate({**usual, **settings})


def planned(
    texts: Sequence[str],
    settings: FinalsSettings,
    *,
    others: Sequence[str] = (),
    rivals: Sequence[Rival] = (),
) -> Plan:
    return plan_finals(
        settings.model_copy(update={"top": len(texts)}),
        number=1,
        standings=standings_of(texts),
        task=find_task(DIGITS),
        dataset=load("digits"),
        steps=80,
        tried=TRIED,
        load=load,
        others=[(find_task(name), load(find_task(name).data)) for name in others],
        rivals=rivals,
    )


def tuner_of(folder: Path, training: Scaled, **changes: Any) -> Tuner:
    stopping = changes.pop("stopping", threading.Event())
    seeds, meeting = changes.pop("seeds", (7, 8)), changes.pop("meeting_seeds", (9, 10))
    return Tuner(
        journal_in(folder),
        lambda task: training.workers(Bench(task.name, task.name), "validation"),
        stopping,
        seeds,
        meeting,
        changes.pop("announce", lambda text: None),
    )


def held(folder: Path, plan: Plan, training: Scaled) -> Finals:
    with journal_in(folder) as journal:
        return hold(
            plan,
            journal,
            open_executor=training.open,
            stopping=threading.Event(),
        )


def candidate(text: str) -> Candidate:
    return Candidate.of(parse(text), generation=0, origin="baseline", variation=text)


def scales_by_id() -> dict[str, float]:
    return {identity(text): scale for text, scale in zip(SCALED, SCALES, strict=True)}


def test_scaled_gelus_at_their_own_rates_are_called_better_in_five_of_a_hundred_finals_at_most(
    tmp_path: Path,
) -> None:
    plan, false = planned(SCALED, wanted()), 0
    for world in range(100):
        training = Scaled(scales=scales_by_id(), world=world)
        folder = tmp_path / str(world)
        with (tuner := tuner_of(folder, training)).journal:
            fair = with_own_rates(plan, tuner)
        finals = held(folder, fair, training)
        leader = finals.leader
        assert leader is not None
        found = finals.own.comparisons_of(leader.candidate_id)
        false += any(each.finding is Finding.BETTER for each in found)
    assert false <= 5


def test_at_one_rate_the_same_scaled_gelus_are_called_better_in_all_of_them(tmp_path: Path) -> None:
    plan, best = planned(SCALED, wanted()), 4.0 * find_task(DIGITS).recipe.learning_rate
    for world in range(5):
        training = Scaled(scales=scales_by_id(), best=best, world=world)
        finals = held(tmp_path / str(world), plan, training)
        assert finals.leader is not None
        found = finals.own.comparisons_of(finals.leader.candidate_id)
        assert all(each.finding is Finding.BETTER for each in found)


def test_a_planted_advantage_at_own_rates_is_found_in_at_least_eighty_of_a_hundred_finals(
    tmp_path: Path,
) -> None:
    planted = identity(SCALED[5])
    plan, passed = planned(SCALED[4:7], wanted()), 0
    for world in range(100):
        training = Scaled(scales=scales_by_id(), gains={(planted, DIGITS): 0.08}, world=world)
        folder = tmp_path / str(world)
        with (tuner := tuner_of(folder, training)).journal:
            fair = with_own_rates(plan, tuner)
        finals = held(folder, fair, training)
        found = finals.own.comparisons_of(planted)
        passed += all(each.finding is Finding.BETTER for each in found)
    assert passed >= 80


def test_a_best_rate_beyond_the_five_is_found_and_nothing_is_trained_twice(tmp_path: Path) -> None:
    task = find_task(DIGITS)
    usual = task.recipe.learning_rate
    training = Scaled(scales={identity(SCALED[5]): 2.0}, noise=0.0, best=usual * 2.0**4.3)
    functions = [parse("gelu"), parse(SCALED[5])]
    with (tuner := tuner_of(tmp_path, training)).journal:
        found = tuner.own_rates(task, functions, 80)
        count = len(training.asked)
        assert tuner.own_rates(task, functions, 80) == found
    assert found[identity("gelu")] == pytest.approx(usual * 2.0**4.3, rel=0.01)
    assert found[identity(SCALED[5])] == pytest.approx(usual * 2.0**3.3, rel=0.01)
    rates = {rate for text, rate, _ in training.asked if text == str(parse("gelu"))}
    assert len(rates) >= 7
    assert len(training.asked) == count
    assert {seeds for _, _, seeds in training.asked} == {(7, 8)}


def test_a_stopped_search_for_rates_goes_on_where_it_was(tmp_path: Path) -> None:
    stopping, training = threading.Event(), Scaled(noise=0.0, stop_after=3)
    task, functions = find_task(DIGITS), [parse("gelu"), parse("relu")]
    with (tuner := tuner_of(tmp_path, training, stopping=stopping)).journal:
        with pytest.raises(Interrupted):
            tuner.own_rates(task, functions, 80)
        assert len(training.asked) == 3
        stopping.clear()
        training.stop_after = None
        tuner.own_rates(task, functions, 80)
    assert len(set(training.asked)) == len(training.asked)


@pytest.mark.parametrize(
    ("tried", "rate"),
    [
        ({0.001: 1.0, 0.002: 2.0, 0.004: 1.0}, 0.002),
        ({0.001: 1.0, 0.002: 2.0, 0.004: 2.0}, 0.00283),  # the vertex lies half a step further
        ({0.001: 1.0, 0.002: 2.0, 0.004: -math.inf}, 0.002),
        ({0.002: 2.0, 0.004: 1.0}, 0.002),
        ({0.001: 2.0, 0.002: 2.0, 0.004: 2.0}, 0.001),
    ],
)
def test_a_rate_is_refined_between_neighbours_that_learn(
    tried: Mapping[float, float], rate: float
) -> None:
    assert refined(tried) == rate


def test_the_claim_is_of_the_mean_of_the_tasks_and_each_has_its_own_card(tmp_path: Path) -> None:
    split, both = identity(SCALED[0]), identity(SCALED[1])
    merits = {(split, DIGITS): 0.3, (split, OTHER): -0.3}
    merits |= {(both, DIGITS): 0.06, (both, OTHER): 0.06}
    training = Scaled(gains=merits, noise=0.01)
    plan = planned(SCALED[:2], wanted(all_tasks=True), others=[OTHER])
    finals = held(tmp_path, plan, training)
    mean, first, second = finals.cards
    assert (first.stage.task, second.stage.task) == (DIGITS, OTHER)
    assert finals.own is mean
    assert finals.first is first
    for row in mean.rows:
        parts = [card.row(row.entrant.candidate_id).log_losses for card in (first, second)]
        assert row.log_losses == pytest.approx([(a + b) / 2 for a, b in zip(*parts, strict=True)])
    assert finals.leader is not None
    assert finals.leader.candidate_id == both
    found = {key: [c.finding for c in mean.comparisons_of(key)] for key in (split, both)}
    assert found[both] == [Finding.BETTER] * 3
    assert found[split] == [Finding.INDISTINGUISHABLE] * 3
    assert {c.finding for c in first.comparisons_of(split)} == {Finding.BETTER}
    assert {c.finding for c in second.comparisons_of(split)} == {Finding.WORSE}
    assert "is, on the mean of digits-mlp and mnist1d-mlp, better than ReLU" in claim(finals)
    assert "What is claimed is of the mean over 2 tasks, with 10 seeds." in plan.rule


def test_minutes_are_shared_by_the_tasks_of_a_claim_which_have_five_seeds_at_least(
    tmp_path: Path,
) -> None:
    def cut(**settings: Any) -> Finals:
        plan = planned(SCALED[:2], wanted(all_tasks=True, **settings), others=[OTHER])
        ticks = iter(range(0, 100_000, 30))
        with journal_in(tmp_path / str(plan.minutes)) as journal:
            return hold(
                plan,
                journal,
                open_executor=Scaled(noise=0.01).open,
                stopping=threading.Event(),
                clock=lambda: float(next(ticks)),
            )

    mean, first, second = cut(max_seeds=20, minutes=8).cards
    assert first.reason == second.reason == "its share of the finals' 8 minutes was over"
    assert (len(first.seeds), len(second.seeds), len(mean.seeds)) == (12, 12, 12)
    assert [len(card.seeds) for card in cut(minutes=0.1).cards] == [5, 5, 5]


def test_a_leader_among_many_is_corrected_for_the_choice_where_its_own_runs_chose_it(
    tmp_path: Path,
) -> None:
    plan = planned(SCALED[:4], wanted(transfer=[OTHER]))
    assert plan.choices == 4
    assert "multiplied by the number of finalists, 4." in plan.rule
    merits = {(identity(text), name): 0.02 for text in SCALED[:4] for name in (DIGITS, OTHER)}
    finals = held(tmp_path, plan, Scaled(gains=merits))
    leader = finals.leader
    assert leader is not None
    for card, times in zip(finals.cards, (4, 1), strict=True):
        each = card.comparisons_of(leader.candidate_id)[0]
        row, rival = card.row(leader.candidate_id), card.row(expression_id(parse("relu")))
        alone = paired_t(row.values(plan.measure), rival.values(plan.measure)).p
        assert alone is not None
        assert each.difference is not None
        assert each.difference > 0
        assert each.p == pytest.approx(min(1.0, times * alone))
    # Finals that were held before choices counted are these, and are not held again.
    before = replace(plan, protocol=2, number=7)
    assert is_same(plan, before)
    assert before.choices == 1
    assert not is_same(plan, planned(SCALED[:4], wanted(transfer=[OTHER], measure="accuracy")))
    assert planned(SCALED[:1], wanted()).choices == 1
    assert planned(SCALED[:4], wanted(measure="accuracy")).choices == 1


def test_runs_of_twice_the_steps_say_whether_a_verdict_lasts(tmp_path: Path) -> None:
    best = identity(SCALED[0])
    for lasting in (0.1, -0.1):
        merits = {(best, DIGITS): 0.1, (best, f"{DIGITS}-longer"): lasting}
        plan = planned(SCALED[:1], wanted(longer=True))
        assert [(stage.task, stage.steps) for stage in plan.stages] == [
            (DIGITS, 80),
            (f"{DIGITS}-longer", 160),
        ]
        finals = held(tmp_path / str(lasting), plan, Scaled(gains=merits, noise=0.01))
        if lasting > 0:
            assert "In runs of twice the steps every one of these verdicts is the same" in claim(
                finals
            )
        else:
            assert "In runs of twice the steps it is worse than ReLU" in claim(finals)


def test_in_equal_time_dear_functions_take_fewer_steps(tmp_path: Path) -> None:
    dear, cheap = identity(SCALED[0]), identity("relu")
    training = Scaled(gains={(dear, DIGITS): 0.2}, seconds={dear: 2.0}, noise=0.01)
    plan = planned(SCALED[:1], wanted(equal_time=True))
    with journal_in(tmp_path) as journal:
        timekeeper = Timekeeper(
            journal,
            lambda task: training.workers(Bench(task.name, task.name), "validation"),
            threading.Event(),
        )
        timed = with_equal_time(plan, timekeeper)
        count = len(training.asked)
        assert with_equal_time(plan, timekeeper) == timed
    assert len(training.asked) == count
    again = timed.stages[1]
    assert (again.purpose, again.steps_of(dear), again.steps_of(cheap)) == ("equal time", 40, 80)
    assert Plan.from_json(timed.to_json()) == timed
    finals = held(tmp_path, timed, training)
    with journal_in(tmp_path) as journal:
        runs = read_history(journal).finals.runs.values()
    assert {run.steps for run in runs if run.candidate_id == dear} == {80, 40}
    assert {run.steps for run in runs if run.candidate_id == cheap} == {80}
    assert "In runs that take as long as ReLU's it is not distinguishable from" in claim(finals)


def test_the_order_in_networks_of_other_sizes_is_told(tmp_path: Path) -> None:
    merits = {
        (identity(text), task): sign * 0.1 * place
        for task, sign in ((DIGITS, 1), (f"{DIGITS}-half-width", 1), (f"{DIGITS}-double-depth", -1))
        for place, text in enumerate([*SCALED[:3], "relu", "swish", "gelu"])
    }
    plan = planned(SCALED[:3], wanted(resized=True))
    sizes = [stage.trained.network for stage in plan.stages]
    assert [stage.task.removeprefix(f"{DIGITS}-") for stage in plan.stages[1:]] == [
        "half-width",
        "double-width",
        "half-depth",
        "double-depth",
    ]
    assert len(set(sizes)) == 5
    finals = held(tmp_path, plan, Scaled(gains=merits, noise=0.001))
    assert finals.orders[f"{DIGITS}-half-width"] == pytest.approx(1.0)
    assert finals.orders[f"{DIGITS}-double-depth"] == pytest.approx(-1.0)
    assert f"1.00 on {DIGITS}-half-width" in orders(finals)


def test_rivals_are_the_best_of_what_they_are_chosen_from(tmp_path: Path) -> None:
    merits = {(identity("mish"), DIGITS): 0.2, (identity("tanhexp"), DIGITS): 0.4}
    merits[identity("2 * gelu(0.5 * x)"), DIGITS] = 0.3
    training, said = Scaled(gains=merits, noise=0.0), list[str]()
    with (tuner := tuner_of(tmp_path, training, announce=said.append)).journal:
        rivals = list(
            choose_rivals(
                ["catalogue", "scaled gelu", "cos", "x * cos(x)"],
                tuner=tuner,
                tasks=[find_task(DIGITS)],
                steps=80,
                without=[identity("tanhexp")],  # a finalist is not its own rival
                runs_dir=tmp_path,
            )
        )
    assert [rival.candidate.id for rival in rivals] == [
        identity(text) for text in ("mish", "2 * gelu(0.5 * x)", "cos(x)", "x * cos(x)")
    ]
    assert "finals: the best of the catalogue beside ReLU, Swish and GELU is Mish" in said
    plan = planned(["x * tanh(exp(x))"], wanted(), rivals=rivals)
    assert plan.rivals[:4] == (*RIVALS, "mish")
    assert len(plan.rivals) == 7
    assert len({each.candidate_id for each in plan.entrants}) == len(plan.entrants)
    assert list(plan.chosen) == list(plan.rivals[3:5])
    assert "Mish is there as the best of the catalogue" in plan.rule
    assert Plan.from_json(plan.to_json()) == plan


def test_rivals_are_not_chosen_by_the_seeds_that_chose_their_rates(tmp_path: Path) -> None:
    better, worse = "tanhexp", "mish"
    merits = {(identity(better), DIGITS): 0.55, (identity(worse), DIGITS): 0.5}
    task = find_task(DIGITS)

    def chosen(place: str, *, rate_seed: int, meeting_seeds: Sequence[int]) -> str:
        tuner = tuner_of(
            tmp_path / place, training, seeds=(rate_seed,), meeting_seeds=tuple(meeting_seeds)
        )
        with tuner.journal:
            (rival,) = choose_rivals(
                ["catalogue"], tuner=tuner, tasks=[task], steps=80, without=(), runs_dir=tmp_path
            )
        return rival.candidate.id

    training = Scaled(gains=merits, noise=0.1)
    unlucky = next(
        seed
        for seed in range(100, 200)
        if chosen(f"by {seed}", rate_seed=seed, meeting_seeds=[seed]) == identity(worse)
    )
    further = range(1_000, 1_200)
    assert chosen("met", rate_seed=unlucky, meeting_seeds=further) == identity(better)
    met = {rate for _, rate, seeds in training.asked if seeds == tuple(further)}
    grid = {task.recipe.learning_rate * 2.0**power for power in range(-10, 11)}
    assert met - grid, "each at its own rate, refined between those that were tried"


def test_a_chosen_rival_bears_the_same_name_in_every_replicate(tmp_path: Path) -> None:
    best, named = Rival(candidate("mish"), "the catalogue"), Rival(candidate("x * cos(x)"))
    finals = held(tmp_path, planned(SCALED[:1], wanted(), rivals=[best, named]), Scaled())
    assert finals.leader is not None
    rivals = [each.rival for each in named_alike(finals, finals.leader.candidate_id)]
    assert rivals == ["relu", "swish", "gelu", "the best of the catalogue", "x * cos(x)"]
    assert finals.plan.rivals == ("relu", "swish", "gelu", "mish", identity("x * cos(x)")), (
        "they are parts of metrics' names, which take neither * nor parentheses"
    )


def test_a_rival_that_nobody_can_read_is_told_before_the_search(tmp_path: Path) -> None:
    with pytest.raises(FinalsError, match=r"finals\.against: 'catalog' is neither a function nor"):
        check_rivals(wanted(against=["catalog"]), tmp_path)
    (tmp_path / "begun").mkdir()
    Journal(tmp_path / "begun" / FILE_NAME).close()
    with pytest.raises(FinalsError, match=r"the search of begun has not ended; actsearch launch"):
        check_rivals(wanted(against=["begun"]), tmp_path)


def test_own_rates_and_rates_for_all_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="leave one of them out"):
        checked(FinalsSettings, {"own_rates": True, "learning_rates": [0.01]}, what="finals")


def test_own_rates_are_in_the_plan_the_runs_and_the_journal(tmp_path: Path) -> None:
    training = Scaled(scales=scales_by_id(), noise=0.0)
    with (tuner := tuner_of(tmp_path, training)).journal as journal:
        plan = with_own_rates(planned(SCALED[:2], wanted(seeds=5, max_seeds=5)), tuner)
        (stage,) = plan.stages
        assert stage.rates[identity(SCALED[0])] == pytest.approx(0.005 / SCALES[0], rel=0.01)
        assert Plan.from_json(plan.to_json()) == plan
        training.asked.clear()
    finals = held(tmp_path, plan, training)
    trained = {(text, rate) for text, rate, _ in training.asked}
    assert len({rate for _, rate in trained}) > 2
    assert len({text for text, _ in trained}) == len(trained)
    with journal_in(tmp_path) as journal:
        runs = read_history(journal).finals.runs.values()
    assert {run.learning_rate for run in runs} == set(stage.rates.values())
    assert finals.own.state == "scored"
