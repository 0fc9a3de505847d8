"""Calibrating over rates and tasks, on made-up scores of which the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluators.networks import MLP
from evaluators.networks.resizing import resized
from evaluators.statistics.calibration import Scores
from evaluators.statistics.fair_calibration import (
    at_own_rates,
    field_rate,
    foresights,
    rate_qualities,
    together,
)
from evaluators.tasks import shipped_tasks

RATES = (0.001, 0.002, 0.004)
MERITS = np.linspace(0.0, 1.0, 20)


def _scores(means: np.ndarray) -> Scores:
    """Two equal rungs and two seeds, which differ by nothing that matters."""
    scores = np.tile(means[None, :, None], (2, 1, 2)) + np.array([0.0, 1e-6])
    return Scores((100, 200), scores, np.zeros_like(scores))


def _by_rate() -> dict[float, Scores]:
    """Good functions are best at 0.004, the worst at 0.001: at 0.001 the order is upside down."""
    off = {0.001: 2.0 * MERITS, 0.002: 0.9 * MERITS, 0.004: 0.5 * (MERITS < 0.3)}
    return {rate: _scores(MERITS - off[rate]) for rate in RATES}


def test_the_fields_rate_is_that_of_the_better_half() -> None:
    qualities = rate_qualities(_by_rate())
    assert field_rate(qualities) == 0.004
    low, _, high = qualities
    assert (high.loss, low.spearman) == (0.0, pytest.approx(-1.0, abs=0.35))
    assert high.spearman > 0.9
    assert sum(each.share_best for each in qualities) == pytest.approx(1.0)


def test_of_rates_at_which_nothing_is_lost_the_lowest_counts() -> None:
    equal = rate_qualities(dict.fromkeys(RATES, _scores(MERITS)))
    assert field_rate(equal) == 0.001


def test_each_function_has_its_own_rate_on_each_rung() -> None:
    best = at_own_rates(_by_rate()).scores[-1, :, 0]
    expected = np.max([each.scores[-1, :, 0] for each in _by_rate().values()], axis=0)
    assert best == pytest.approx(expected)


def test_no_task_drowns_another() -> None:
    small, large = _scores(MERITS), _scores(1000.0 * MERITS[::-1])
    whole = together([small, large]).scores[0, :, 0]
    assert whole == pytest.approx(whole[::-1])
    assert together([small, small]).scores == pytest.approx(together([small]).scores)


def test_what_is_far_below_all_others_counts_as_just_below() -> None:
    one_lost = MERITS.copy()
    one_lost[0] = -1e9
    assert together([_scores(one_lost)]).scores.min() == -6.0


def test_a_rung_that_ranks_as_the_dear_runs_do_knows_all_of_them() -> None:
    knows, knows_not = foresights(
        replace(
            _scores(MERITS), scores=np.stack([_scores(m).scores[0] for m in (MERITS, -MERITS)])
        ),
        MERITS,
    )
    assert (knows.spearman, knows.top_recall) == (pytest.approx(1.0), 1.0)
    assert (knows_not.spearman, knows_not.top_recall) == (pytest.approx(-1.0), 0.0)


def test_every_shipped_network_can_be_made_twice_as_wide() -> None:
    for task in shipped_tasks().values():
        wider = resized(task.network, width=2)
        assert type(wider) is type(task.network)
        assert wider != task.network
        assert wider.hidden_layers == task.network.hidden_layers
    assert resized(MLP((3, 4)), width=2) == MLP((6, 8))
