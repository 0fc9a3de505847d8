"""Forecasts of what a candidate will score after long training.

A short training run ranks functions poorly: what learns fastest in the beginning isn't what is best
in the end. Together with the function's shape it ranks them well, since functions of like shape
have like learning curves, and those of some hundred functions are known (compare Bingham,
Miikkulainen, Efficient Activation Function Optimization through Surrogate Modeling, 2023, who
forecast from the shape and the Fisher information).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from evaluators.forecasting.learning_curves import LearningCurves, LearningCurvesError
from evaluators.probing.shapes import shape
from grammars import Expression, ParseError, parse

_TREES: Final = 100
# Trees learn the loss to this power, inverted, so that differences between good functions count for
# more than those between bad ones. Of the best tenth of 1,197 functions 94 % are then in the best
# fifth by their shape, and 90 % where the score itself is learnt; powers of 3 and 6 do as well.
_POWER: Final = 4.0


class Forecast:
    """Expects of a function the score that its like came to at the end of their curves.

    Extremely randomised trees (Geurts, Ernst, Wehenkel 2006) on the function's shape and its score
    so far. They are the same in every process.
    """

    def __init__(self, curves: LearningCurves) -> None:
        """Takes the curves in.

        Raises:
            LearningCurvesError: If one of their expressions can't be read.
        """
        self._curves = curves
        try:
            self._shapes = np.array([shape(parse(text)) for text in curves.expressions])
        except ParseError as error:
            raise LearningCurvesError(
                f"the learning curves of {curves.task} cannot be used: {error}"
            ) from error
        self._trees = lru_cache(maxsize=None)(self._learn)

    def expected(
        self,
        functions: Sequence[Expression],
        scores: Sequence[float] | None = None,
        *,
        steps: int = 0,
    ) -> np.ndarray:
        """The score that each function is expected to reach [functions].

        Args:
            functions: Parameters count with their start values.
            scores: What each scored after `steps`.
            steps: One of the curves'; if it is their last, the scores are all there is to know. 0
                for functions that have not been trained at all.

        Raises:
            LearningCurvesError: If the curves have no scores after so many steps.
        """
        if scores is not None and (steps == self._curves.steps[-1] or not functions):
            return np.asarray(scores, np.float64)
        rows = _rows([shape(function) for function in functions], scores)
        return _expected(self._trees(steps), rows)

    def cross_validated(self, steps: int, *, folds: int = 5) -> np.ndarray:
        """What would be expected of each of the curves' own functions, had they not been seen.

        Args:
            steps: One of the curves', or 0 for what the shape alone tells.
            folds: In how many parts the functions are left out in turn.
        """
        rows, final = self._known(steps)
        expected = np.empty(len(rows))
        part = np.random.default_rng(0).permutation(len(rows)) % folds
        for fold in range(folds):
            trees = _trees(rows[part != fold], final[part != fold])
            expected[part == fold] = _expected(trees, rows[part == fold])
        return expected

    def _learn(self, steps: int) -> Any:
        return _trees(*self._known(steps))

    def _known(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        scores = self._curves.column(steps) if steps else None
        return _rows(self._shapes, scores), self._curves.scores[:, -1]


def _rows(
    shapes: Sequence[np.ndarray] | np.ndarray, scores: Sequence[float] | np.ndarray | None
) -> np.ndarray:
    known = [np.asarray(shapes)] if scores is None else [np.asarray(shapes), np.asarray(scores)]
    return np.column_stack(known)


def _trees(rows: np.ndarray, final: np.ndarray) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    # A thread a core grows the same trees; several would add up what they say in any order.
    trees = ExtraTreesRegressor(_TREES, max_features=0.5, random_state=0, n_jobs=-1)
    return trees.fit(rows, np.exp(_POWER * final)).set_params(n_jobs=1)


def _expected(trees: Any, rows: np.ndarray) -> np.ndarray:
    """Of what the trees have learnt the mean, as a score."""
    scores: np.ndarray = np.log(trees.predict(rows)) / _POWER
    return scores
