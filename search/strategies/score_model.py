"""Expects of a function the score of its like, among those that a campaign has scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

_TREES: Final = 100
# How much more the differences between good functions count than those between bad ones: what is
# learnt falls to a fifth over the middle half of the scores.
_POWER: Final = 1.5
_LOWEST: Final = -30.0
# Learning takes 1 ms a function; of older campaigns the best and the farthest trained teach most.
_MOST_LEARNT: Final = 2_000


class Expected(NamedTuple):
    """What a model expects, on a scale of its own on which greater is better.

    Attributes:
        mean: Over the trees [functions].
        spread: Standard deviation over the trees, which is large where nothing like it is known
            [functions].
    """

    mean: np.ndarray
    spread: np.ndarray


class ScoreModel:
    """Extremely randomised trees on shapes, as for forecasts, learnt in a campaign.

    Every evaluation teaches, whatever its rung: the rung is one of the features, and what is asked
    for is the score on the highest (Geurts, Ernst, Wehenkel, Extremely Randomized Trees, 2006).
    Scores of rungs and tasks have different units, so they are measured in their own interquartile
    range.
    """

    def __init__(self, shapes: np.ndarray, rungs: Sequence[int], scores: Sequence[float]) -> None:
        """Learns.

        Args:
            shapes: Of the functions; see `evaluators.probing.shapes` [functions, features].
            rungs: On which each was scored [functions].
            scores: That it came to [functions].
        """
        from sklearn.ensemble import ExtraTreesRegressor

        known = np.lexsort((scores, rungs))[-_MOST_LEARNT:]
        rows = np.column_stack([shapes, rungs])[known]
        trees = ExtraTreesRegressor(_TREES, max_features=0.5, random_state=0, n_jobs=1)
        self._trees = trees.fit(rows, _in_ranges(np.asarray(scores, np.float64)[known]))
        self._rung = max(rungs)

    def expected(self, shapes: np.ndarray) -> Expected:
        """What functions of these shapes are expected to score on the highest rung."""
        rows = np.column_stack([shapes, np.full(len(shapes), self._rung)]).astype(np.float32)
        each = np.stack([tree.tree_.predict(rows)[:, 0] for tree in self._trees.estimators_])
        return Expected(each.mean(axis=0), each.std(axis=0))


def _in_ranges(scores: np.ndarray) -> np.ndarray:
    """1 for the best, and the less the worse."""
    low, high = np.quantile(scores, (0.25, 0.75))
    behind = (scores - scores.max()) / max(high - low, 1e-9)
    learnt: np.ndarray = np.exp(np.maximum(_POWER * behind, _LOWEST))
    return learnt
