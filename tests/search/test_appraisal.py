"""Scores over several tasks and learning rates."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.evaluation.evaluation import Evaluation, OnTask, Outcome, OverTasks, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import BASELINES, Activation, evaluate, functions_of, load_grammar, parse
from search.appraisal import Appraiser, Yardstick, courses_of
from search.appraisal.rates import best_rate, missing_rates, refined, wanted_rates
from search.appraisal.yardstick import Best, combined
from search.executors import Interrupted, WorkersUnusableError
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Ending, Loop
from search.settings import Settings

from .ownerless import Ownerless

RATES = (0.001, 0.002, 0.004, 0.008, 0.016)
BENCHES = (Bench("first", "digits"), Bench("second", "mnist1d"))
_POINTS = np.linspace(-3.0, 3.0, 61)


@dataclass
class Field(Ownerless):
    """Trainings whose outcome is known: a function has a merit, and a best rate by its size.

    What doubles a function's output is worth as much as doubling the rate, and no more.
    """

    stop_after: int | None = None
    diverging: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    done: list[tuple[str, Fidelity]] = field(default_factory=list)
    wish: threading.Event = field(default_factory=threading.Event)

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Any
    ) -> Iterator[list[Evaluation]]:
        for first in range(0, len(expressions), 4):
            if stopping.is_set():
                raise Interrupted
            group = expressions[first : first + 4]
            self.done += [(str(each), fidelity) for each in group]
            yield [self.evaluation(each, fidelity) for each in group]
            if self.stop_after is not None and len(self.done) >= self.stop_after:
                self.wish.set()

    def evaluation(self, each: Activation, fidelity: Fidelity) -> Evaluation:
        bench = BENCHES[fidelity.task]
        if str(each) in self.diverging and fidelity.task == 1:
            return bench.record(each, fidelity, Outcome.DIVERGED, reason="simulated divergence")
        if str(each) in self.failing and fidelity.task == 1:
            return bench.record(each, fidelity, Outcome.FAILED, reason="simulated failure")
        values = np.mean([evaluate(f, _POINTS) for f in functions_of(each)], axis=0)
        scale = float(np.sqrt(np.mean(values**2))) + 1e-9
        merit = -float(np.abs(values / scale - np.tanh(_POINTS)).mean())
        rate = 0.004 if fidelity.learning_rate is None else fidelity.learning_rate
        off = math.log2(rate * min(max(scale, 0.1), 10.0) / 0.004)
        unit = (1.0, 30.0)[fidelity.task]  # the second task's differences are far greater
        score = unit * (merit - 0.05 * off * off) + 0.001 * math.log(fidelity.steps)
        results = tuple(SeedResult(seed, math.exp(-score), 0.5) for seed in fidelity.seeds)
        return bench.record(each, fidelity, Outcome.SCORED, per_seed=results)


def settings(**scoring: Any) -> Settings:
    return Settings.model_validate(
        {
            "name": "test",
            "seed": 3,
            "search": {"population": 12},
            "scoring": {
                "tasks": ["first", "second"],
                "learning_rates": list(RATES),
                "rungs": [
                    {"tasks": ["first"], "steps": 10},
                    {"steps": 40},
                    {"steps": 80, "seeds": 2},
                ],
                "reduction_factor": 3.0,
                **scoring,
            },
            "stop": {"generations": 3},
        }
    )


def run(folder: Path, chosen: Settings, training: Field, **more: Any) -> Ending:
    folder.mkdir(exist_ok=True)
    with Journal(folder / FILE_NAME) as journal:
        loop = Loop(
            chosen,
            grammar=load_grammar(chosen.grammar),
            bench=BENCHES[0],
            further=BENCHES[1:],
            hidden_layers=2,
            journal=journal,
            executor=training,
            stopping=training.wish,
            **more,
        )
        return loop.run()


def told(folder: Path) -> list[tuple[str, str, Any]]:
    """All events in their order; single trainings, which a stop may put in another, at the end."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        events = [(event.kind, event.key, event.payload) for event in journal.events()]
    trainings = sorted(each for each in events if each[0] == "training")
    return [each for each in events if each[0] != "training"] + trainings


def appraised(folder: Path, texts: Sequence[str], training: Field, **scoring: Any) -> Any:
    """Evaluations of functions on each rung, measured by the baselines."""
    folder.mkdir(exist_ok=True)
    chosen = settings(**scoring).scoring
    with Journal(folder / FILE_NAME) as journal:
        appraiser = Appraiser(
            journal,
            training,
            courses_of(chosen, BENCHES),
            aggregate=chosen.aggregate,
            stopping=threading.Event(),
        )
        by_rung = []
        for rung in range(len(chosen.rungs)):
            appraiser.measure_by([parse(name) for name in BASELINES], rung)
            (batch,) = appraiser.evaluate([parse(text) for text in texts], rung)
            by_rung.append(batch)
        return by_rung


def test_scale_is_worth_nothing_at_each_functions_own_rate(tmp_path: Path) -> None:
    texts = ("tanh(x)", "2 * tanh(x)", "0.5 * tanh(x)")
    fair = appraised(tmp_path / "fair", texts, Field())[-1]
    plain, *scaled = (each.score for each in fair)
    one_rate = appraised(tmp_path / "one", texts, Field(), learning_rates=[])[-1]
    plain_before, *scaled_before = (each.score for each in one_rate)
    for now, before in zip(scaled, scaled_before, strict=True):
        assert abs(now - plain) < abs(before - plain_before) / 3.0
    rates = [each.over_tasks.tasks[0].learning_rate for each in fair]
    assert rates[1] < rates[0] < rates[2]


CHOSEN = [
    {"tasks": ["first"], "steps": 10},
    {"steps": 40},
    {"steps": 80, "seeds": 6, "rate_seeds": 2},
]


def test_a_refined_rate_leaves_nothing_of_the_grid(tmp_path: Path) -> None:
    """Between two rates of the grid lies the best one of the same function, scaled."""
    texts = ("tanh(x)", "1.4142135623730951 * tanh(x)")
    apart = []
    for name, rungs in (("grid", settings().scoring.rungs), ("chosen", CHOSEN)):
        found = appraised(tmp_path / name, texts, Field(), rungs=rungs)[-1]
        apart.append(abs(found[0].score - found[1].score))
        rates = [each.over_tasks.tasks[0].learning_rate for each in found]
    assert apart[1] < apart[0] / 20.0
    assert rates[0] / rates[1] == pytest.approx(2.0**0.5, rel=0.01)


@pytest.mark.parametrize("rates", [(0.001, 0.003, 0.009), (0.001, 0.002, 0.01), (0.5, 0.8, 1.0)])
@pytest.mark.parametrize("share", [0.0, 0.2, -0.3])
def test_the_vertex_is_found_whatever_the_factors(
    rates: tuple[float, float, float], share: float
) -> None:
    low, middle, high = map(math.log, rates)
    vertex = middle + share * (high - middle if share > 0.0 else middle - low)
    tried = {rate: 2.0 - 0.3 * (math.log(rate) - vertex) ** 2 for rate in rates}
    assert refined(tried) == pytest.approx(math.exp(vertex), rel=0.006)


def test_a_grid_of_factors_of_two_gives_what_it_always_gave() -> None:
    drawn = np.random.default_rng(5)
    for _ in range(2_000):
        rate = float(f"{10.0 ** drawn.uniform(-4.0, -1.0):.2g}")
        below, above = drawn.normal(size=2)
        best = max(below, above) + drawn.exponential()
        tilt = (below - above) / (2.0 * (below - 2.0 * best + above))
        tried = {rate / 2.0: below, rate: best, rate * 2.0: above}
        assert refined(tried) == float(f"{rate * 2.0**tilt:.3g}")


def test_seeds_that_choose_a_rate_do_not_score(tmp_path: Path) -> None:
    training = Field(diverging=frozenset({"sin(x)"}))
    (*_, last) = appraised(tmp_path, ("0.3 * tanh(x)", "sin(x)"), training, rungs=CHOSEN)
    seeds = settings(rungs=CHOSEN).scoring.fidelities[-1].seeds
    own = [f for text, f in training.done if text == "0.3 * tanh(x)" and f.steps == 80]
    tried = {f.learning_rate for f in own if f.seeds == seeds[:2]}
    assert tried <= set(RATES)
    assert len(tried) >= 3
    (on_first,) = [f for f in own if f.seeds == seeds[2:] and f.task == 0]
    assert len(own) == sum(f.seeds in (seeds[:2], seeds[2:]) for f in own)
    scaled, wild = last
    assert on_first.learning_rate == scaled.over_tasks.tasks[0].learning_rate
    assert [each.seed for each in scaled.per_seed] == list(seeds[2:])
    assert wild.over_tasks.tasks[1].score is None
    assert not [f for t, f in training.done if t == "sin(x)" and f.task == 1 and len(f.seeds) == 4]


def test_no_task_drowns_another(tmp_path: Path) -> None:
    (*_, last) = appraised(tmp_path, ("tanh(x)", "sin(x)", "x * x"), Field())
    for each in last:
        first, second = each.over_tasks.tasks
        assert first.advantage == pytest.approx(second.advantage, abs=0.05)
        assert each.over_tasks.score == pytest.approx((first.advantage + second.advantage) / 2)


def test_the_first_rung_tries_the_fields_rate_alone_and_the_others_go_on(tmp_path: Path) -> None:
    training = Field()
    appraised(tmp_path, ("0.2 * tanh(x)",), training)
    own = [f for text, f in training.done if text == "0.2 * tanh(x)"]
    assert [f.learning_rate for f in own if f.steps == 10] == [0.004]
    assert {f.task for f in own if f.steps == 10} == {0}
    # Outwards while it improves, and one beyond.
    assert sorted(f.learning_rate for f in own if f.steps == 40 and f.task == 0) == list(RATES[1:])
    assert {f.task for f in own if f.steps == 40} == {0, 1}


def test_a_divergence_on_one_task_is_the_worst_there_and_no_more(tmp_path: Path) -> None:
    training = Field(diverging=frozenset({"sin(x)"}))
    (*_, last) = appraised(tmp_path, ("sin(x)", "tanh(x)"), training)
    diverged, fine = last
    assert diverged.outcome is Outcome.SCORED
    first, second = diverged.over_tasks.tasks
    assert second.score is None
    baselines = appraised(tmp_path, BASELINES, training)[-1]
    assert second.advantage < min(each.over_tasks.tasks[1].advantage for each in baselines)
    assert math.isfinite(diverged.score)
    assert first.advantage > second.advantage
    assert fine.score > diverged.score


def test_what_fails_on_one_task_has_failed_and_says_where(tmp_path: Path) -> None:
    (*_, last) = appraised(tmp_path, ("sin(x)",), Field(failing=frozenset({"sin(x)"})))
    assert last[0].outcome is Outcome.FAILED
    assert last[0].reason == "on second: simulated failure"
    assert last[0].score is None


def test_baselines_that_learn_nothing_are_an_error(tmp_path: Path) -> None:
    everything = frozenset(str(parse(name)) for name in BASELINES)
    with pytest.raises(WorkersUnusableError, match=r"on second with 40 steps.* no baseline learnt"):
        appraised(tmp_path, ("tanh(x)",), Field(diverging=everything))


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("mean", 0.5), ("worst", -1.0), ({"a": 3.0}, 1.25), ({"b": 3.0}, -0.25)],
)
def test_aggregates(aggregate: Any, expected: float) -> None:
    assert combined([2.0, -1.0], aggregate, ["a", "b"]) == pytest.approx(expected)


def test_a_yardstick_measures_in_the_spread_of_the_baselines() -> None:
    scores = [1.0, 2.0, 3.0, 4.0, 5.0]
    rates = [0.001, 0.002, 0.004, 0.004, 0.016]
    yardstick = Yardstick.of(
        [*(Best(r, s) for r, s in zip(rates, scores, strict=True)), Best(0.1, None)]
    )
    assert yardstick.reference == 5.0
    assert yardstick.spread == pytest.approx(2.0 / 1.349)
    assert yardstick.field_rate == 0.004
    assert yardstick.advantage(5.0) == 0.0
    for ahead in (-11.0, -1.0, 1.0, 11.0):
        assert yardstick.advantage(5.0 + ahead * yardstick.spread) == pytest.approx(ahead)
    assert Yardstick.from_json(yardstick.to_json()) == yardstick


def test_what_is_far_behind_keeps_its_order_and_drowns_nothing() -> None:
    yardstick = Yardstick.of([Best(None, s) for s in (1.0, 2.0, 3.0)])
    spreads = np.array([-49.0, -30.0, -15.0, -5.0, 0.0, 15.0, 30.0])
    advantages = [yardstick.advantage(3.0 + yardstick.spread * each) for each in spreads]
    assert np.all(np.diff(advantages) > 0.0)
    assert abs(advantages[0]) < 30.0
    for nothing in (None, -math.inf, math.nan, -1e9):
        assert yardstick.advantage(nothing) == yardstick.lowest < advantages[0]


def test_advantages_of_campaigns_of_before_are_cut_as_they_were() -> None:
    before = {"reference": 5.0, "spread": 2.0, "lowest": -3.0, "field_rate": None}
    yardstick = Yardstick.from_json(before)
    assert [yardstick.advantage(s) for s in (None, -40.0, 0.0, 25.0)] == [-3.0, -3.0, -2.5, 10.0]


def test_equal_baselines_do_not_divide_by_nothing() -> None:
    assert Yardstick.of([Best(None, 2.0)] * 3).advantage(2.001) == pytest.approx(1.0)


@pytest.mark.parametrize("best", range(5))
def test_the_best_rate_is_found_from_wherever_it_begins(best: int) -> None:
    for first in range(5):
        tried = {RATES[first]: -float(abs(first - best))}
        asked = [RATES[first]]
        while wanted := wanted_rates([tried], RATES):
            asked += wanted
            tried |= {rate: -float(abs(RATES.index(rate) - best)) for rate in wanted}
        assert best_rate(tried) == RATES[best]
        assert len(set(asked)) == len(asked) <= abs(best - first) + 3
        assert missing_rates(tried, RATES) == []


def test_ties_and_divergences_among_rates() -> None:
    assert best_rate({0.004: 1.0, 0.002: 1.0, 0.008: -math.inf}) == 0.002
    assert missing_rates({0.004: -math.inf}, RATES) == [0.002, 0.008]


@pytest.mark.parametrize("rungs", [settings().scoring.rungs, CHOSEN])
def test_one_seed_is_one_campaign_and_a_stop_changes_nothing(tmp_path: Path, rungs: Any) -> None:
    chosen = settings(rungs=rungs)
    whole = Field()
    assert run(tmp_path / "whole", chosen, whole) == Ending("3 generations are done")
    events = told(tmp_path / "whole")
    for stop_after in (3, 60, 150, len(whole.done) - 9):
        cut = tmp_path / f"cut{stop_after}"
        first, second = Field(stop_after=stop_after), Field()
        assert run(cut, chosen, first).interrupted
        run(cut, chosen, second)
        assert told(cut) == events
        assert not set(first.done) & set(second.done), "nothing is trained twice"


def test_candidates_climb_by_the_aggregate(tmp_path: Path) -> None:
    run(tmp_path, settings(), Field())
    evaluations = [payload for kind, _, payload in told(tmp_path) if kind == "evaluation"]
    scored = [
        Evaluation.from_json({k: v for k, v in e.items() if k != "rung"}) for e in evaluations
    ]
    for rung, count in ((0, 1), (1, 2), (2, 2)):
        on_rung = [
            e
            for e, raw in zip(scored, evaluations, strict=True)
            if raw["rung"] == rung and e.outcome is Outcome.SCORED
        ]
        assert on_rung
        for each in on_rung:
            assert each.over_tasks is not None
            assert len(each.over_tasks.tasks) == count
            assert each.score == each.over_tasks.score
    kinds = {kind for kind, _, _ in told(tmp_path)}
    assert {"training", "yardsticks"} <= kinds
    seeds = [set(fidelity.seeds) for fidelity in settings().scoring.fidelities]
    assert seeds[0] == seeds[1]
    assert seeds[2].isdisjoint(seeds[1])


def test_a_record_over_tasks_survives_the_journal() -> None:
    record = Field().evaluation(parse("tanh(x)"), Fidelity(10, (0,), 0.002, 1))
    tasks = (OnTask("a", "digits", 0.002, 1.5, 0.25), OnTask("b", "mnist1d", None, None, -3.0))
    whole = Evaluation.from_json(record.to_json())
    assert whole == record
    several = Evaluation.from_json(
        {**record.to_json(), "over_tasks": OverTasks(-1.375, tasks).to_json()}
    )
    assert several.over_tasks == OverTasks(-1.375, tasks)
    assert several.score == -1.375
    assert several.plain_score == record.score
    assert Evaluation.from_json(several.to_json()) == several


@pytest.mark.parametrize(
    ("scoring", "match"),
    [
        ({"learning_rates": [0.002, 0.001]}, "learning_rates: they must ascend"),
        ({"aggregate": {"third": 1.0}}, "third of a rung or a weight is not among the tasks"),
        ({"tasks": ["first", "first"]}, "each must be named once"),
        ({"rungs": [{"steps": 9}, {"steps": 9, "tasks": ["first"]}]}, "rungs must climb"),
        ({"rungs": [{"steps": 9, "tasks": ["other"]}]}, "other of a rung"),
        ({"forecast": "mnist-mlp"}, "learning curves are of one task at one learning rate"),
        ({"schedule": "slow"}, "constant"),
        ({"rungs": [{"steps": 9, "seeds": 2, "rate_seeds": 2}]}, "2 of 2 seeds leave none"),
        ({"rungs": CHOSEN, "learning_rates": []}, "no learning rate is chosen on rung 3"),
        ({"rungs": [*CHOSEN[::-1][:1], {"steps": 90, "seeds": 6}]}, "is chosen on rung 1"),
    ],
)
def test_settings_that_cannot_be_used(scoring: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        settings(**scoring)


def test_the_first_task_stands_wherever_one_is_meant() -> None:
    assert settings().task == "first"
    document = settings().model_dump()
    assert Settings.model_validate(document) == settings()
    with pytest.raises(ValueError, match="its first is 'first', not 'second'"):
        Settings.model_validate({**document, "task": "second"})
    with pytest.raises(ValueError, match=r"search\.lookahead"):
        Settings.model_validate({**document, "search": {"lookahead": 1}})
    steady = Settings.model_validate({**document, "search": {"strategy": "regularized_evolution"}})
    assert steady.generations_ahead == 0
