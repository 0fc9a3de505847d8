"""How well short training predicts long training: what a ladder of rungs should look like."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import spearmanr

REDUCTION_FACTORS: Final = (1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
_TOP_SHARE: Final = 0.1


@dataclass(frozen=True)
class Scores:
    """The same functions with the same seeds on several rungs.

    Attributes:
        steps: Of each rung, ascending.
        scores: Minus the log validation loss [rungs, functions, seeds], higher is better.
        accuracies: Validation accuracy, 0 to 1 [rungs, functions, seeds].
    """

    steps: tuple[int, ...]
    scores: np.ndarray
    accuracies: np.ndarray

    def __post_init__(self) -> None:
        rungs, functions, seeds = self.scores.shape
        if rungs != len(self.steps) or functions < 3 or seeds < 2:
            raise ValueError(
                "calibrating takes at least 3 functions and 2 seeds on every rung, got "
                f"{functions} functions and {seeds} seeds on {rungs} of {len(self.steps)} rungs"
            )

    @property
    def best(self) -> np.ndarray:
        """The truly best tenth: by the mean over the seeds on the last rung."""
        return top(self.scores[-1].mean(axis=1), _TOP_SHARE)


@dataclass(frozen=True)
class RungQuality:
    """What one rung tells.

    Attributes:
        steps: Of the rung.
        score_noise: The seed's standard deviation of the score, that is, of the log loss.
        accuracy_noise: The seed's standard deviation of the accuracy, 0 to 1.
        score_reliability: Intraclass correlation of the score of one seed.
        accuracy_reliability: Intraclass correlation of the accuracy of one seed.
        spearman: Rank correlation of one seed's scores with the last rung's means.
        top_recall: Share of the truly best tenth among one seed's best quarter.
    """

    steps: int
    score_noise: float
    accuracy_noise: float
    score_reliability: float
    accuracy_reliability: float
    spearman: float
    top_recall: float


@dataclass(frozen=True)
class Ladder:
    """A way of racing, simulated on what was measured.

    Attributes:
        steps: Of each rung.
        reduction_factor: One in so many climbs.
        cost: Steps a candidate on average, training carried from rung to rung.
        top_recall: Share of the truly best tenth that reaches the last rung.
    """

    steps: tuple[int, ...]
    reduction_factor: float
    cost: float
    top_recall: float


def rung_qualities(measured: Scores) -> list[RungQuality]:
    """The quality of each rung, averaged over the seeds where one seed is asked."""
    truth = measured.scores[-1].mean(axis=1)
    qualities = []
    for number, steps in enumerate(measured.steps):
        scores, accuracies = measured.scores[number], measured.accuracies[number]
        by_seed = scores.T
        qualities.append(
            RungQuality(
                steps=steps,
                score_noise=_noise(scores),
                accuracy_noise=_noise(accuracies),
                score_reliability=intraclass_correlation(scores),
                accuracy_reliability=intraclass_correlation(accuracies),
                spearman=float(np.mean([spearmanr(one, truth).statistic for one in by_seed])),
                top_recall=float(
                    np.mean([recall(top(one, 0.25), measured.best) for one in by_seed])
                ),
            )
        )
    return qualities


def intraclass_correlation(values: np.ndarray) -> float:
    """Share of the variance that the functions make, where all meet the same seeds.

    ICC(3,1) of Shrout, Fleiss, Intraclass Correlations: Uses in Assessing Rater Reliability, 1979:
    what a seed does to all functions alike is no noise.

    Args:
        values: [functions, seeds].

    Returns:
        At most 1, at which one seed ranks as well as many; about 0 if there is only noise.
    """
    functions, seeds = values.shape
    by_function = values.mean(axis=1)
    residual = values - by_function[:, None] - values.mean(axis=0) + values.mean()
    between = seeds * float(np.var(by_function, ddof=1))
    within = float((residual**2).sum()) / ((functions - 1) * (seeds - 1))
    total = between + (seeds - 1) * within
    return (between - within) / total if total else 0.0


def recommend(measured: Scores, *, budget: float) -> Ladder:
    """The ladder that keeps most of the truly best tenth for a budget.

    Args:
        measured: Rungs to choose from; the last one of them is always climbed to.
        budget: Steps a candidate that racing may cost on average.

    Returns:
        Of equally good ladders the cheapest.

    Raises:
        ValueError: If no ladder is that cheap.
    """
    ladders = list(_ladders(measured))
    affordable = [ladder for ladder in ladders if ladder.cost <= budget]
    if not affordable:
        least = min(ladder.cost for ladder in ladders)
        raise ValueError(
            f"no ladder to {measured.steps[-1]} steps costs at most {budget:g} steps a candidate; "
            f"the cheapest costs {least:.0f}"
        )
    return max(affordable, key=lambda ladder: (ladder.top_recall, -ladder.cost))


def _ladders(measured: Scores) -> Iterator[Ladder]:
    last = len(measured.steps) - 1
    for count in range(last + 1):
        for lower in itertools.combinations(range(last), count):
            rungs = (*lower, last)
            for factor in REDUCTION_FACTORS if count else (1.0,):
                yield _simulated(measured, rungs, factor)


def _simulated(measured: Scores, rungs: Sequence[int], factor: float) -> Ladder:
    """Races every seed's scores up the rungs, and averages."""
    functions, seeds = measured.scores.shape[1:]
    cost, recalls = 0.0, []
    for seed in range(seeds):
        climbing, before = np.arange(functions), 0
        for rung in rungs:
            cost += len(climbing) * (measured.steps[rung] - before)
            before = measured.steps[rung]
            if rung != rungs[-1]:
                scores = measured.scores[rung, climbing, seed]
                climbing = climbing[top(scores, 1.0 / factor)]
        recalls.append(recall(climbing, measured.best))
    return Ladder(
        steps=tuple(measured.steps[rung] for rung in rungs),
        reduction_factor=factor,
        cost=cost / (functions * seeds),
        top_recall=float(np.mean(recalls)),
    )


def top(scores: np.ndarray, share: float) -> np.ndarray:
    """Indices of the best, at least one; of equals, the earlier."""
    count = max(1, round(len(scores) * share))
    return np.argsort(-scores, kind="stable")[:count]


def recall(found: np.ndarray, wanted: np.ndarray) -> float:
    """Share of the wanted indices among those found."""
    return len(set(found.tolist()) & set(wanted.tolist())) / len(wanted)


def _noise(values: np.ndarray) -> float:
    """Standard deviation over the seeds, pooled over the functions."""
    return float(np.sqrt(values.var(axis=1, ddof=1).mean()))
