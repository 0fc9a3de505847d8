"""What calibrating says where functions have learning rates of their own, on several tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import spearmanr

from evaluators.statistics.calibration import Scores, recall, top

_BETTER_HALF: Final = 0.5
# Interquartile range of a standard normal distribution.
_QUARTILES_APART: Final = 1.349
# So far below the best, in spreads, nothing tells functions apart any more.
_FLOOR: Final = -6.0


@dataclass(frozen=True)
class RateQuality:
    """What training everybody at one rate tells of their order at own best rates.

    Attributes:
        rate: The learning rate.
        loss: What the better half of the functions lose in score there, on average, against each
            one's own best rate.
        spearman: Rank correlation of all scores there with those at own best rates.
        share_best: Share of the functions whose own best rate it is.
    """

    rate: float
    loss: float
    spearman: float
    share_best: float


def rate_qualities(by_rate: Mapping[float, Scores]) -> list[RateQuality]:
    """The quality of each rate, by the means over the seeds on the last rung."""
    means = np.array([each.scores[-1].mean(axis=1) for each in by_rate.values()])
    best = means.max(axis=0)
    half = top(best, _BETTER_HALF)
    owners = means.argmax(axis=0)
    return [
        RateQuality(
            rate,
            loss=float((best - row)[half].mean()),
            spearman=float(spearmanr(row, best).statistic),
            share_best=float((owners == number).mean()),
        )
        for number, (rate, row) in enumerate(zip(by_rate, means, strict=True))
    ]


def field_rate(qualities: Sequence[RateQuality]) -> float:
    """The rate at which the better half loses least; of equal ones the lowest."""
    return min(qualities, key=lambda quality: (quality.loss, quality.rate)).rate


def at_own_rates(by_rate: Mapping[float, Scores]) -> Scores:
    """Each function at the rate that is best for it, on each rung, by its mean over the seeds."""
    first = next(iter(by_rate.values()))
    scores = np.array([each.scores for each in by_rate.values()])
    accuracies = np.array([each.accuracies for each in by_rate.values()])
    owners = scores.mean(axis=3).argmax(axis=0)[None, :, :, None]
    return Scores(
        first.steps,
        scores=np.take_along_axis(scores, owners, axis=0)[0],
        accuracies=np.take_along_axis(accuracies, owners, axis=0)[0],
    )


def together(by_task: Sequence[Scores]) -> Scores:
    """The mean over tasks of scores in units of each task's own spread.

    On each rung the best function's mean is 0 and the interquartile range of the functions' means
    that of a standard normal distribution, so that no task drowns another; what is more than six
    such units below the best counts as that.
    """
    return Scores(
        by_task[0].steps,
        scores=np.mean([_in_spreads(each.scores) for each in by_task], axis=0),
        accuracies=np.mean([each.accuracies for each in by_task], axis=0),
    )


@dataclass(frozen=True)
class Foresight:
    """What one rung says of a ranking that is dearer than any rung.

    Attributes:
        steps: Of the rung.
        spearman: Rank correlation of one seed's scores with the dearer ones.
        top_recall: Share of the dearer ranking's best tenth among one seed's best quarter.
    """

    steps: int
    spearman: float
    top_recall: float


def foresights(measured: Scores, truth: np.ndarray) -> list[Foresight]:
    """What each rung says of dearer scores, the mean over the seeds.

    Args:
        measured: Of the rungs.
        truth: The dearer scores [functions].
    """
    best = top(truth, 0.1)
    return [
        Foresight(
            steps,
            spearman=float(np.mean([spearmanr(one, truth).statistic for one in scores.T])),
            top_recall=float(np.mean([recall(top(one, 0.25), best) for one in scores.T])),
        )
        for steps, scores in zip(measured.steps, measured.scores, strict=True)
    ]


def _in_spreads(scores: np.ndarray) -> np.ndarray:
    means = scores.mean(axis=2)
    low, high = np.quantile(means, (0.25, 0.75), axis=1)
    spread = np.maximum((high - low) / _QUARTILES_APART, 1e-3)[:, None, None]
    best = means.max(axis=1)[:, None, None]
    cut: np.ndarray = np.maximum((scores - best) / spread, _FLOOR)
    return cut
