"""Campaigns that forecast: who is trained, who climbs, and that it all comes out the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.forecasting.learning_curves import LearningCurves, LearningCurvesError
from evaluators.tasks import find_task
from grammars import parse
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.screening import Screening, screening_of
from search.journal.journal import FILE_NAME, Journal
from search.settings import Settings
from tests.drawing import functions

from .simulation import Simulation
from .test_campaign import run, settings, told

FIDELITIES = (Fidelity(10, (0,)), Fidelity(40, (0, 1)))


def simulated(count: int = 200, **changes: Any) -> LearningCurves:
    """Curves as the simulation would train them."""
    simulation = Simulation()
    scores = {
        str(function): [simulation.score(function, Fidelity(steps, (0,))) for steps in (10, 20, 40)]
        for function in functions(count, seed=1)
    }
    about = {
        "task": "digits-mlp",
        "digest_of_task": find_task("digits-mlp").digest,
        "dataset": "digits",
        "seed": 0,
        "steps": (10, 20, 40),
    }
    return LearningCurves.of(scores, **{**about, **changes})


CURVES = simulated()


def candidates(count: int, *, seed: int) -> list[Candidate]:
    return [Candidate.of(each, generation=0) for each in functions(count, seed=seed)]


def test_the_more_promising_share_is_trained() -> None:
    group = candidates(100, seed=2)
    reasons = Screening(CURVES, share=0.4, fidelities=FIDELITIES).screen(group)
    assert len(reasons) == 60
    simulation = Simulation()
    scores = {c.id: simulation.score(c.expression, FIDELITIES[1]) for c in group}
    best = sorted(scores, key=lambda key: -scores[key])[:10]
    assert sum(key in reasons for key in best) <= 1
    assert all(reason.startswith("screened out: by its shape") for reason in reasons.values())


def test_the_share_is_of_all_candidates_so_far() -> None:
    screening = Screening(CURVES, share=0.5, fidelities=FIDELITIES)
    screening.screen(candidates(40, seed=2))
    near_swish = [f"x * sigmoid({1 + n / 10} * x)" for n in range(1, 11)]
    good = [Candidate.of(parse(text), generation=1) for text in near_swish]
    assert screening.screen(good) == {}


def test_a_share_of_one_screens_nobody_out() -> None:
    screening = Screening(CURVES, share=1.0, fidelities=FIDELITIES)
    assert screening.screen(candidates(20, seed=2)) == {}


def test_who_climbs_is_forecast_below_the_last_rung_and_scored_on_it() -> None:
    screening = Screening(CURVES, share=1.0, fidelities=FIDELITIES)
    simulation = Simulation()

    def standing(text: str, rung: int) -> Standing:
        candidate = Candidate.of(parse(text), generation=0)
        return Standing(candidate, rung, simulation.evaluation(parse(text), FIDELITIES[rung]))

    swish, wave = standing("x * sigmoid(x)", 0), standing("sin(3 * x)", 0)
    promises = screening.promise([swish, wave])
    assert promises[0] > promises[1]
    # Training four times as long lowers the simulated loss to a quarter.
    rectifier = standing("relu(x)", 0)
    final = simulation.score(parse("relu(x)"), FIDELITIES[1])
    assert list(screening.promise([rectifier])) == [pytest.approx(final, abs=0.7)]
    above = standing("x * sigmoid(x)", 1)
    assert list(screening.promise([above])) == [above.evaluation.score]
    assert list(screening.promise([])) == []


def with_forecast(tmp_path: Path, **changes: Any) -> tuple[Settings, Screening]:
    path = tmp_path / "curves.json"
    path.write_text(CURVES.to_json(), encoding="utf-8")
    scoring = {"scoring__forecast": str(path), "scoring__screening": 0.5}
    chosen = settings(**{"task": "digits-mlp", **scoring, **changes})
    screening = screening_of(chosen, find_task(chosen.task), "digits")
    assert screening is not None
    return chosen, screening


def test_a_screened_campaign_trains_fewer_and_says_why(tmp_path: Path) -> None:
    chosen, screening = with_forecast(tmp_path)
    run(tmp_path / "run", chosen, screening=screening)
    with Journal(tmp_path / "run" / FILE_NAME, read_only=True) as journal:
        evaluations = [event.payload for event in journal.events("evaluation")]
        generations = [event.payload for event in journal.events("generation")]
    screened = [e for e in evaluations if "screened out" in (e["reason"] or "")]
    assert screened
    assert {e["outcome"] for e in screened} == {Outcome.REJECTED.value}
    for generation in generations:
        assert generation["distinct"] == generation["rejected"] + generation["trained"]
    assert generations[0]["trained"] <= 0.5 * generations[0]["distinct"] + 1


@pytest.mark.parametrize("stop_after", [1, 12, 21, 30])
@pytest.mark.parametrize("strategy", ["genetic", "regularized_evolution"])
def test_a_screened_campaign_that_was_stopped_goes_on_as_if_nothing_had_happened(
    stop_after: int, strategy: str, tmp_path: Path
) -> None:
    for name, simulations in (
        ("whole", [Simulation()]),
        ("cut", [Simulation(stop_after=stop_after), Simulation()]),
    ):
        for simulation in simulations:
            chosen, screening = with_forecast(
                tmp_path, search__strategy=strategy, search__lookahead=0
            )
            run(tmp_path / name, chosen, simulation, screening=screening)
    assert told(tmp_path / "cut") == told(tmp_path / "whole")


def test_a_rediscovered_baseline_is_not_screened_out(tmp_path: Path) -> None:
    chosen, screening = with_forecast(
        tmp_path, scoring__screening=0.05, search__start_from=["sigmoid(x)", "tanh(x)", "relu(x)"]
    )
    ending = run(tmp_path / "run", chosen, screening=screening)
    assert ending.reason == "4 generations are done"


def test_curves_must_fit_the_campaign(tmp_path: Path) -> None:
    with pytest.raises(LearningCurvesError, match="of digits-mlp on digits, the campaign trains"):
        with_forecast(tmp_path, task="mnist-mlp")
    rungs = [{"steps": 30}, {"steps": 40}]
    with pytest.raises(LearningCurvesError, match="none after 30"):
        with_forecast(tmp_path, scoring__rungs=rungs)
    assert screening_of(settings(), find_task("mnist-mlp"), "mnist") is None


def test_the_shipped_curves_are_of_a_task_that_is_shipped() -> None:
    scoring = {"scoring__forecast": "mnist-mlp", "scoring__rungs": [{"steps": 50}, {"steps": 1600}]}
    chosen = settings(task="mnist-mlp-constant", **scoring)
    assert screening_of(chosen, find_task("mnist-mlp-constant"), "mnist") is not None
    with pytest.raises(LearningCurvesError, match="train mnist-mlp-constant, which they are of"):
        screening_of(chosen, find_task("mnist-mlp"), "mnist")


def test_other_curves_make_another_campaign() -> None:
    screening = [
        Screening(curves, share=0.5, fidelities=FIDELITIES)
        for curves in (CURVES, simulated(), simulated(199))
    ]
    assert screening[0].digest == screening[1].digest != screening[2].digest
