"""What forecasts from learning curves are worth, and the ladder that they allow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import spearmanr

from evaluators.forecasting.forecaster import Forecast
from evaluators.forecasting.learning_curves import LearningCurves
from evaluators.statistics.calibration import REDUCTION_FACTORS, recall, top

_SCREENING: Final = (1.0, 0.5, 0.4, 0.33, 0.25, 0.22, 0.2, 0.18, 0.16, 0.14, 0.12, 0.1)
# Rungs below the last; more of them cost more than they save.
_LOWER_RUNGS: Final = 2
# What takes as long as so many steps: compiling a candidate, once, and validating it on each rung.
COMPILING_STEPS: Final = 60.0
ENTRY_STEPS: Final = 20.0


@dataclass(frozen=True)
class ForecastQuality:
    """How well one number of steps tells the final score, with a forecast and without.

    Attributes:
        steps: After which the forecast is made; 0 from the shape alone.
        score_spearman: Rank correlation of the score with the final one; NaN at 0 steps.
        score_recall: Share of the truly best tenth among the best fifth by score.
        spearman: Rank correlation of the forecast with the final score.
        recall: Share of the truly best tenth among the best fifth by forecast.
    """

    steps: int
    score_spearman: float
    score_recall: float
    spearman: float
    recall: float


@dataclass(frozen=True)
class ScreenedLadder:
    """A way of racing by forecasts, simulated on functions that each forecast has not seen.

    Attributes:
        screening: Share of the candidates that are trained at all.
        steps: Of each rung.
        reduction_factor: One in so many climbs.
        cost: Steps a candidate on average, `COMPILING_STEPS` for those that are trained and
            `ENTRY_STEPS` for every rung that they enter included.
        recall: Share of the truly best tenth that reaches the last rung.
    """

    screening: float
    steps: tuple[int, ...]
    reduction_factor: float
    cost: float
    recall: float


class CrossValidation:
    """The forecasts of every function of some learning curves, made from the others."""

    def __init__(self, curves: LearningCurves) -> None:
        """Forecasts after every number of steps but the last."""
        forecast = Forecast(curves)
        self._curves, self._final = curves, curves.scores[:, -1]
        self._expected: Mapping[int, np.ndarray] = {
            steps: forecast.cross_validated(steps) for steps in (0, *curves.steps[:-1])
        }

    def qualities(self) -> list[ForecastQuality]:
        """One for each number of steps."""
        best = top(self._final, 0.1)
        unknown = np.full(len(self._final), np.nan)
        qualities = []
        for steps, expected in self._expected.items():
            scores = self._curves.column(steps) if steps else unknown
            qualities.append(
                ForecastQuality(
                    steps,
                    score_spearman=_rank_correlation(scores, self._final) if steps else np.nan,
                    score_recall=recall(top(scores, 0.2), best) if steps else np.nan,
                    spearman=_rank_correlation(expected, self._final),
                    recall=recall(top(expected, 0.2), best),
                )
            )
        return qualities

    def recommend(self, *, least_recall: float) -> ScreenedLadder:
        """The cheapest ladder that keeps so much of the truly best tenth.

        Args:
            least_recall: Share of it, 0 to 1.
        """
        # Training everything to the end keeps everything, so there always is one.
        enough = (ladder for ladder in self._ladders() if ladder.recall >= least_recall)
        return min(enough, key=lambda ladder: ladder.cost)

    def _ladders(self) -> Iterator[ScreenedLadder]:
        *below, last = self._curves.steps
        for count in range(_LOWER_RUNGS + 1):
            for lower in itertools.combinations(below, count):
                for screening in _SCREENING:
                    for factor in REDUCTION_FACTORS if count else (1.0,):
                        yield self._simulated(screening, (*lower, last), factor)

    def _simulated(self, screening: float, rungs: Sequence[int], factor: float) -> ScreenedLadder:
        functions = len(self._final)
        climbing = top(self._expected[0], screening)
        cost, before = len(climbing) * COMPILING_STEPS, 0
        for steps in rungs:
            cost += len(climbing) * (steps - before + ENTRY_STEPS)
            before = steps
            if steps != rungs[-1]:
                climbing = climbing[top(self._expected[steps][climbing], 1.0 / factor)]
        return ScreenedLadder(
            screening,
            tuple(rungs),
            factor,
            cost=cost / functions,
            recall=recall(climbing, top(self._final, 0.1)),
        )


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(spearmanr(one, other).statistic)
