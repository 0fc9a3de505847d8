"""Probes many functions at once, and takes their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from evaluators.probing.probes import (
    BULK,
    LARGEST_SLOPE,
    LARGEST_VALUE,
    POINTS,
    REACH,
    RELATIVE_FLATNESS,
    SMALLEST_SLOPE,
    STEP,
)
from evaluators.probing.shapes import NEARBY, shapes, upright
from grammars import CachedEvaluation, Expression

_BULK_POINTS: Final = POINTS[BULK]
_SECTIONS: Final = (POINTS, _BULK_POINTS + STEP, _BULK_POINTS - STEP, NEARBY)
_ENDS: Final = np.cumsum([len(section) for section in _SECTIONS])[:-1]
# As `numpy.quantile` interpolates: the greatest tenth begins between these two.
_NINE_TENTHS: Final = 0.9 * (len(_BULK_POINTS) - 1)
_MOST_ZEROS: Final = int(np.ceil(_NINE_TENTHS)) + 1


class Surveyed(NamedTuple):
    """What is known of functions without training.

    Attributes:
        fit: Whether each passes the probes [functions].
        shapes: See `evaluators.probing.shapes.upright` [functions, features].
    """

    fit: np.ndarray
    shapes: np.ndarray


class Survey:
    """Does for bred functions, by the thousand, what `probe` and `shape` do for one.

    Both look at a function's values only, so it is evaluated once, on all their points, and what it
    shares with functions seen before is not evaluated again.
    """

    def __init__(self) -> None:
        """Nothing is evaluated yet."""
        self._values = CachedEvaluation(np.concatenate(_SECTIONS))
        self._single = CachedEvaluation(POINTS.astype(np.float32))

    def __call__(self, functions: Sequence[Expression]) -> Surveyed:
        """Surveys functions; trainable parameters are taken at their start values."""
        at_points, right, left, nearby = np.split(self._values(functions), _ENDS, axis=1)
        with np.errstate(all="ignore"):
            fit = (
                _finite(at_points)
                & _finite(self._single(functions))
                & _bent(at_points[:, REACH])
                & _followable(at_points[:, BULK], right, left)
            )
        return Surveyed(fit, upright(shapes(nearby)))


def _finite(values: np.ndarray) -> np.ndarray:
    whole: np.ndarray = (np.abs(values) <= LARGEST_VALUE).all(axis=1)
    return whole


def _bent(values: np.ndarray) -> np.ndarray:
    """Neither constant nor affine."""
    x = POINTS[REACH]
    centred = x - x.mean()
    range_ = np.ptp(values, axis=1)
    is_constant = range_ <= RELATIVE_FLATNESS * np.maximum(1.0, np.abs(values).max(axis=1))
    slope = (values * centred).sum(axis=1) / (centred**2).sum()
    line = values.mean(axis=1)[:, None] + slope[:, None] * centred
    is_affine = np.abs(values - line).max(axis=1) <= RELATIVE_FLATNESS * range_
    bent: np.ndarray = ~(is_constant | is_affine)
    return bent


def _followable(values: np.ndarray, right: np.ndarray, left: np.ndarray) -> np.ndarray:
    """With a slope that an optimiser can follow."""
    steepness = np.maximum(np.abs(right - values), np.abs(values - left)) / STEP
    is_steep = ~(steepness <= LARGEST_SLOPE).all(axis=1)
    is_flat = steepness.max(axis=1) < SMALLEST_SLOPE
    has_no_gradient = (steepness == 0.0).sum(axis=1) >= _MOST_ZEROS
    followable: np.ndarray = ~(is_steep | is_flat | has_no_gradient)
    return followable
