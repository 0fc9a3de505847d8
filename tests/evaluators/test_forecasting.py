"""Learning curves as a file, and forecasts from them where early scores mislead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from evaluators.forecasting.forecaster import Forecast, shape
from evaluators.forecasting.learning_curves import (
    LearningCurves,
    LearningCurvesError,
    curve_names,
    load_curves,
)
from evaluators.forecasting.quality import CrossValidation
from grammars import Expression, evaluate, parse
from tests.drawing import functions

STEPS = (50, 200, 800)
_POINTS = np.linspace(-2.0, 2.0, 41)


def final_score(function: Expression) -> float:
    """The nearer to Swish the better."""
    distance = np.mean(np.abs(evaluate(function, _POINTS) - evaluate(parse("swish"), _POINTS)))
    return -float(np.log(0.05 + min(distance, 10.0)))


def made_up(count: int) -> LearningCurves:
    """First scores are mere chance, the second half chance, the third are what counts."""
    random = np.random.default_rng(0)
    drawn = functions(count)
    final = np.array([final_score(each) for each in drawn])
    chance = random.standard_normal((2, count))
    columns = [chance[0], 0.5 * chance[1] + 0.5 * final, final]
    scores = {str(f): row for f, row in zip(drawn, np.transpose(columns).tolist(), strict=True)}
    return LearningCurves.of(scores, task="t", dataset="d", seed=0, steps=STEPS)


CURVES = made_up(400)


def test_a_shape_tells_more_than_an_early_score() -> None:
    strangers = functions(200, seed=9)
    truth = [final_score(each) for each in strangers]
    expected = Forecast(CURVES).expected(strangers)
    assert spearmanr(expected, truth).statistic > 0.8


def test_a_score_adds_to_what_the_shape_tells() -> None:
    qualities = {quality.steps: quality for quality in CrossValidation(CURVES).qualities()}
    assert list(qualities) == [0, 50, 200]
    assert np.isnan(qualities[0].score_spearman)
    assert abs(qualities[50].score_spearman) < 0.2
    assert qualities[50].spearman > 0.7
    assert qualities[200].spearman > max(qualities[50].spearman, qualities[200].score_spearman)


def test_the_recommended_ladder_keeps_what_it_must() -> None:
    validation = CrossValidation(CURVES)
    modest, ambitious = (validation.recommend(least_recall=share) for share in (0.6, 1.0))
    assert modest.recall >= 0.6
    assert ambitious.recall == 1.0
    assert modest.cost < ambitious.cost <= STEPS[-1] + 80.0


def test_at_the_end_of_the_curves_the_score_is_all_there_is_to_know() -> None:
    forecast = Forecast(CURVES)
    assert forecast.expected([parse("x"), parse("relu")], [0.5, 0.25], steps=800).tolist() == [
        0.5,
        0.25,
    ]


def test_forecasts_depend_on_nothing_but_the_curves() -> None:
    strangers = functions(20, seed=5)
    scores = np.linspace(-1, 1, 20).tolist()
    one, other = (Forecast(CURVES).expected(strangers, scores, steps=200) for _ in range(2))
    assert one.tolist() == other.tolist()
    alone = Forecast(CURVES).expected(strangers[3:4], scores[3:4], steps=200)
    assert alone.tolist() == one[3:4].tolist()


def test_a_shape_is_finite_whatever_the_function() -> None:
    for text in ("exp(x ^ 3)", "1 / x", "log(x)", "sqrt(x)", "1e30 * x"):
        assert np.isfinite(shape(parse(text))).all(), text


def test_curves_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "curves.json"
    path.write_text(CURVES.to_json(), encoding="utf-8")
    read = load_curves(path)
    assert read.expressions == CURVES.expressions
    assert (read.task, read.dataset, read.seed, read.steps) == ("t", "d", 0, STEPS)
    np.testing.assert_allclose(read.scores, CURVES.scores, atol=5.1e-6)
    assert read.digest == CURVES.digest
    assert read.to_json() == CURVES.to_json()


def document(**changes: Any) -> dict[str, Any]:
    return {**json.loads(CURVES.to_json()), **changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version"),
        ({"steps": [50, 800, 200]}, "steps must ascend"),
        ({"steps": [50, 200]}, "3 scores for 2 numbers of steps"),
        ({"functions": []}, "functions"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_no_set_of_curves_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "curves.json"
    path.write_text(json.dumps(document(**changes)), encoding="utf-8")
    with pytest.raises(LearningCurvesError, match=message):
        load_curves(path)


def test_curves_of_no_function_are_refused() -> None:
    broken = document()["functions"]
    scores = {entry["expression"]: entry["scores"] for entry in broken} | {"sin(": [0.0] * 3}
    curves = LearningCurves.of(scores, task="t", dataset="d", seed=0, steps=STEPS)
    with pytest.raises(LearningCurvesError, match="the learning curves of t cannot be used"):
        Forecast(curves)


def test_missing_curves_are_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(LearningCurvesError, match="did you mean 'mnist-mlp'"):
        load_curves("mnist-mpl")
    with pytest.raises(LearningCurvesError, match="cannot read"):
        load_curves(tmp_path / "none.json")
    with pytest.raises(LearningCurvesError, match="after 50, 200, 800 steps, none after 100"):
        CURVES.column(100)


@pytest.mark.parametrize("name", curve_names())
def test_shipped_curves_can_be_read(name: str) -> None:
    curves = load_curves(name)
    assert curves.task == name
    assert len(curves.expressions) > 500
    assert np.isfinite(curves.scores).all()
    # Training goes on lowering the loss of most.
    assert (np.diff(np.median(curves.scores, axis=0)) > 0).all()
