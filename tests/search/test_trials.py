"""Functions trained outside of a campaign: on any site, equal ones once, what diverges left out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from evaluators.evaluation.evaluation import Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from evaluators.tasks import find_task
from grammars import Expression, LayersError, canonical, load_grammar, parse, parse_activation
from search.executors import local_cores
from search.executors.site import Site
from search.trials.calibrating import calibrate
from search.trials.protocol import Trained, draw_functions, published, score, train_on_every_rung

from .simulation import Simulation

TASK = find_task("digits-mlp")
FUNCTIONS = {text: parse(text) for text in ("relu(x)", "tanh(x)", "x * erf(x)", "exp(exp(x))")}


class Started:
    """The factory's two kinds of executors, replaced by one that remembers how it was started."""

    def __init__(self, **simulated: Any) -> None:
        self.simulation = Simulation(**simulated)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __enter__(self) -> Started:
        def starting(kind: str) -> Any:
            def start(workload: Any, **limits: Any) -> Simulation:
                self.calls.append((kind, limits))
                return self.simulation

            return start

        self._patches = [
            mock.patch(f"search.executors.starting.{kind}", starting(kind))
            for kind in ("ProcessPool", "RayCluster")
        ]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *error: object) -> None:
        for patch in self._patches:
            patch.stop()


def test_equal_functions_are_trained_once_and_affine_ones_never() -> None:
    asked = [parse(text) for text in ("max(x, 0)", "relu(x)", "x + 1", "tanh(x)")]
    with Started() as started:
        records = score(asked, Fidelity(20, (0, 1)), task=TASK, site=Site(workers=8))
    assert [each.outcome for each in records] == [
        *(Outcome.SCORED, Outcome.SCORED, Outcome.REJECTED, Outcome.SCORED)
    ]
    assert records[0] == records[1]
    assert len(started.simulation.done) == 2
    assert started.calls[0][1]["workers"] == 2, "no worker is started that has nothing to do"


def test_more_functions_than_layers_are_refused_before_anything_starts() -> None:
    with Started() as started, pytest.raises(LayersError):
        score(
            [parse_activation("[relu, tanh, sin(x), x, cos(x)]")],
            Fidelity(1, (0,)),
            task=TASK,
            site=Site(),
        )
    assert started.calls == []


def test_rungs_are_trained_in_turn_and_what_diverges_is_left_out() -> None:
    said: list[str] = []
    site = Site(announce=said.append)
    with Started(diverging=frozenset({"exp(exp(x))"})) as started:
        trained = train_on_every_rung(FUNCTIONS, (10, 40), task=TASK, seeds=(0, 1), site=site)
    assert list(trained.evaluations) == ["relu(x)", "tanh(x)", "x * erf(x)"]
    assert [steps for _, steps in started.simulation.done] == [10] * 4 + [40] * 4
    assert said[-2:] == ["10 steps x 2 seeds are done", "40 steps x 2 seeds are done"]
    assert started.calls[0][1]["workers"] == local_cores()
    scores = trained.scores
    assert scores.scores.shape == (2, 3, 2)
    (seed,) = [s for s in trained.evaluations["tanh(x)"][1].per_seed if s.seed == 1]
    assert scores.scores[1, 1, 1] == seed.score == -math.log(seed.validation_loss)
    curves = trained.learning_curves(seed=0)
    assert (curves.task, curves.steps, len(curves.expressions)) == ("digits-mlp", (10, 40), 3)


def test_a_site_decides_on_which_executor_all_of_it_runs() -> None:
    site = Site(executor="ray", workers=3, gpus_per_worker=0.5)
    with Started() as started:
        score([parse("tanh(x)")], Fidelity(1, (0,)), task=TASK, site=site)
        train_on_every_rung(FUNCTIONS, (1, 2), task=TASK, seeds=(0, 1), site=site)
        score([parse("tanh(x)")], Fidelity(1, (0,)), task=TASK, site=replace(site, workers=None))
    assert [kind for kind, _ in started.calls] == ["RayCluster"] * 3
    assert [limits["gpus_per_worker"] for _, limits in started.calls] == [0.5] * 3
    assert [limits["workers"] for _, limits in started.calls] == [3, 3, None]


def test_functions_are_drawn_distinct_from_the_catalogue_and_from_each_other() -> None:
    drawn = draw_functions(load_grammar("core"), 30, seed=3)
    assert len({str(canonical(each)) for each in drawn}) == len(drawn) == len(_published()) + 30
    assert drawn == draw_functions(load_grammar("core"), 30, seed=3)
    assert drawn != draw_functions(load_grammar("core"), 30, seed=4)


def _published() -> set[str]:
    functions: list[Expression] = list(published().values())
    return {str(canonical(each)) for each in functions}


def test_calibrating_finds_own_rates_on_every_task_and_looks_further() -> None:
    tasks = {name: find_task(name) for name in ("digits-mlp", "mnist1d-mlp")}
    with Started(diverging=frozenset({"exp(exp(x))"})) as started:
        found = calibrate(
            FUNCTIONS,
            (10, 40),
            tasks=tasks,
            rates=(0.002, 0.004),
            seeds=(0, 1),
            site=Site(),
            with_dear=True,
        )
    assert found.names == ("relu(x)", "tanh(x)", "x * erf(x)")
    assert {name: scores.scores.shape for name, scores in found.by_task.items()} == dict.fromkeys(
        tasks, (2, 3, 2)
    )
    assert found.whole.scores.shape == (2, 3, 2)
    assert [quality.rate for quality in found.rates["mnist1d-mlp"]] == [0.002, 0.004]
    assert found.dear is not None
    assert found.dear.shape == (3,)
    steps = [steps for _, steps in started.simulation.done]
    assert steps == 2 * (2 * ([10] * 4 + [40] * 4)) + 2 * (2 * [160] * 4)
    assert len(started.calls) == 4, "a task is compiled once for all of its rates"


def test_what_diverges_at_a_rate_is_below_whatever_does_not_at_another() -> None:
    texts = {"relu(x)": 0.3, "tanh(x)": 0.4, "x * erf(x)": 3.0}
    site, seeds = Site(), (0, 1)

    def trained(rate: float) -> Trained:
        """At the higher rate all losses are a third, and the last function diverges."""
        is_high = rate > 0.003
        evaluations = {
            text: [
                replace(
                    Bench("digits-mlp", "digits").record(
                        parse(text), Fidelity(10, seeds), Outcome.SCORED
                    ),
                    per_seed=tuple(
                        SeedResult(seed, loss / (3 if is_high else 1), 0.5) for seed in seeds
                    ),
                )
            ]
            for text, loss in texts.items()
            if not (is_high and loss == 3.0)
        }
        return Trained(TASK, (10,), evaluations)

    with mock.patch(
        "search.trials.calibrating.train_at_rates",
        lambda functions, steps, grid, **how: [trained(rate) for rate in grid],
    ):
        found = calibrate(
            FUNCTIONS,
            (10,),
            tasks={"digits-mlp": TASK},
            rates=(0.002, 0.004),
            seeds=seeds,
            site=site,
        )
    assert found.names == tuple(texts), "two that learn at one rate are enough there"
    own = dict(zip(found.names, found.whole.scores[0, :, 0], strict=True))
    assert own["relu(x)"] == pytest.approx(-math.log(0.1))
    assert own["x * erf(x)"] == pytest.approx(-math.log(3.0)), "as at the rate where it learns"


def test_calibrating_one_task_at_its_own_rate_is_what_it_always_was() -> None:
    arguments = {"seeds": (0, 1), "site": Site()}
    with Started():
        found = calibrate(FUNCTIONS, (10, 40), tasks={"digits-mlp": TASK}, rates=(), **arguments)
        plain = train_on_every_rung(FUNCTIONS, (10, 40), task=TASK, **arguments)
    assert found.whole.scores.tolist() == plain.scores.scores.tolist()
    assert (found.rates, found.dear) == ({}, None)
