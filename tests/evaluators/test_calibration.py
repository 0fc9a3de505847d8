"""Calibration on made-up scores of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.statistics.calibration import (
    Scores,
    intraclass_correlation,
    recommend,
    rung_qualities,
)


def _scores(noise: tuple[float, ...], *, functions: int = 40, seeds: int = 6) -> Scores:
    """True merits under noise, which shrinks as `noise` says from rung to rung."""
    random = np.random.default_rng(0)
    merits = random.standard_normal(functions)
    scores = np.stack(
        [merits[:, None] + s * random.standard_normal((functions, seeds)) for s in noise]
    )
    steps = tuple(100 * 2**number for number in range(len(noise)))
    return Scores(steps, scores=scores, accuracies=1 / (1 + np.exp(-scores)))


def test_reliability_is_the_share_of_variance_that_functions_make() -> None:
    measured = _scores((1.0, 0.0), functions=4000)
    assert intraclass_correlation(measured.scores[0]) == pytest.approx(0.5, abs=0.03)
    assert intraclass_correlation(measured.scores[1]) == pytest.approx(1.0)


def test_what_a_seed_does_to_all_functions_alike_is_no_noise() -> None:
    scores = _scores((0.0, 0.0)).scores[0] + np.arange(6.0)
    assert intraclass_correlation(scores) == pytest.approx(1.0)


def test_less_noise_means_better_rungs() -> None:
    rough, fair, exact = rung_qualities(_scores((2.0, 0.5, 0.0)))
    assert rough.spearman < fair.spearman < exact.spearman == pytest.approx(1.0)
    assert rough.top_recall < exact.top_recall == 1.0
    assert rough.score_noise == pytest.approx(2.0, rel=0.15)
    assert rough.score_reliability < fair.score_reliability < exact.score_reliability


def test_a_sure_first_rung_is_all_that_is_needed() -> None:
    ladder = recommend(_scores((0.0, 0.0, 0.0)), budget=200.0)
    assert ladder.top_recall == 1.0
    assert ladder.steps[0] == 100
    assert ladder.cost <= 200.0


def test_a_greater_budget_keeps_more_of_the_best() -> None:
    measured = _scores((3.0, 1.0, 0.2))
    recalls = [recommend(measured, budget=budget).top_recall for budget in (180, 250, 400)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == 1.0


def test_a_budget_that_no_ladder_meets_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no ladder to 200 steps costs at most 5 .* cheapest"):
        recommend(_scores((0.1, 0.0)), budget=5.0)


def test_too_little_to_calibrate_by_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 functions and 2 seeds"):
        _scores((0.1,), functions=2)
