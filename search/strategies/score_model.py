"""Expects of a function the place of its like, among those that a campaign has scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from search.strategies.spread import Standard

_TREES: Final = 100
# How much more the differences between good functions count than those between bad ones: of what
# is learnt, the best comes to 1, the median to 0.004.
_POWER: Final = 8.0
# Variance of the noise, as a share of that of what is learnt.
_NOISE: Final = 0.3
# Learning takes 1 ms a function; of older campaigns the best and the farthest trained teach most.
_MOST_LEARNT: Final = 2_000


class Expected(NamedTuple):
    """What a model expects, on a scale of its own on which greater is better.

    Attributes:
        mean: About 1 for the best that is known, 0 for the worst [functions].
        spread: Standard deviation over the trees, which is large where nothing like it is known
            [functions].
    """

    mean: np.ndarray
    spread: np.ndarray


class ScoreModel:
    """The mean of two models on shapes, learnt in a campaign.

    Extremely randomised trees (Geurts, Ernst, Wehenkel, 2006) find the features that matter;
    a Gaussian process with an exponential kernel (Rasmussen, Williams, Gaussian Processes for
    Machine Learning, 2006) looks at the likeness of whole shapes. Together they foretell ranks
    better than either.

    What they learn is a function's place in the order of all: whoever came to a higher rung stands
    above whoever did not, and on one rung the score decides. Scores of different rungs, with other
    tasks and steps, cannot be compared, and on a higher rung the best score is often lower.
    """

    def __init__(self, shapes: np.ndarray, rungs: Sequence[int], scores: Sequence[float]) -> None:
        """Learns.

        Args:
            shapes: Of the functions; see `evaluators.probing.shapes` [functions, features].
            rungs: The highest on which each was scored [functions].
            scores: That it came to there [functions].
        """
        from scipy.spatial.distance import pdist
        from sklearn.ensemble import ExtraTreesRegressor
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import Matern

        learnt = shapes[np.lexsort((scores, rungs))[-_MOST_LEARNT:]]
        places = np.linspace(0.0, 1.0, len(learnt)) ** _POWER
        trees = ExtraTreesRegressor(_TREES, max_features=0.5, random_state=0, n_jobs=1)
        self._trees = trees.fit(learnt, places)
        self._standard = Standard.of(learnt)
        known = self._standard(learnt)
        # Likeness falls to 1/e over the median distance.
        kernel = Matern(length_scale=max(float(np.median(pdist(known))), 1e-6), nu=0.5)
        process = GaussianProcessRegressor(kernel, alpha=_NOISE, optimizer=None)
        self._mean = float(places.mean())
        self._process = process.fit(known, places - self._mean)

    def expected(self, shapes: np.ndarray) -> Expected:
        """What functions of these shapes are expected to come to [functions, features]."""
        rows = shapes.astype(np.float32)
        each = np.stack([tree.tree_.predict(rows)[:, 0] for tree in self._trees.estimators_])
        like = self._mean + self._process.predict(self._standard(shapes))
        return Expected((each.mean(axis=0) + like) / 2.0, each.std(axis=0))
