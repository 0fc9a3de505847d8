"""What a function does, as numbers that forecasts learn from."""

from __future__ import annotations

from typing import Final

import numpy as np

from grammars import Expression, evaluate

# Where values and slopes are looked at: what flows into a unit, and how the function goes on.
POINTS: Final = np.concatenate([np.linspace(-3.0, 3.0, 31), [-10.0, -6.0, -4.5, 4.5, 6.0, 10.0]])
# How widely what flows into a unit may be spread: standard deviations of normal distributions.
_SPREADS: Final = (0.5, 1.0, 1.4, 2.0)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_DENSITY: Final = _WEIGHTS / _WEIGHTS.sum()
EVERYWHERE: Final = np.concatenate([POINTS, *(spread * _NODES for spread in _SPREADS)])
STEP: Final = 1e-3
NEARBY: Final = np.concatenate([EVERYWHERE, EVERYWHERE + STEP, EVERYWHERE - STEP])
"""Where a function must be evaluated for its shape to be known."""
_LARGEST: Final = 1e6

# `_moments` gives so many for each spread. Those by which a function is put upright are of N(0, 1).
_MOMENTS: Final = 7
_MEAN: Final = 2 * len(POINTS) + _SPREADS.index(1.0) * _MOMENTS
_SLOPE: Final = _MEAN + 2
_CURVATURE: Final = _MEAN + 6
# What has none of one of them has so much by rounding.
_NONE: Final = 1e-9

# How f(-x) and -f(x) follow from f(x): which feature takes the place of each, and with which sign.
_OPPOSITE: Final = np.argmin(np.abs(POINTS[:, None] + POINTS), axis=0)
_MIRRORED: Final = np.concatenate(
    [
        _OPPOSITE,
        len(POINTS) + _OPPOSITE,
        2 * len(POINTS) + np.arange(_MOMENTS * len(_SPREADS)),
    ]
)
_MIRRORED_SIGN: Final = np.concatenate(
    [
        np.ones(len(POINTS)),
        -np.ones(len(POINTS)),
        np.tile([1, 1, -1, 1, 1, -1, 1], len(_SPREADS)),
    ]
)
_NEGATED_SIGN: Final = np.concatenate(
    [-np.ones(2 * len(POINTS)), np.tile([-1, 1, -1, 1, 1, -1, -1], len(_SPREADS))]
)


def shape(function: Expression) -> np.ndarray:
    """What a function does, on a scale that large numbers don't dominate.

    Returns:
        Its values and slopes at some points, and for normal distributions of several widths their
        means, mean squares and what a network would see of a signal in them [features].
    """
    values, slopes = _looked_at(function)
    count = len(POINTS)
    features = [values[:count], slopes[:count]]
    for first in range(count, len(EVERYWHERE), len(_NODES)):
        here = slice(first, first + len(_NODES))
        features.append(
            _moments(np.clip(values[here], -1e3, 1e3), np.clip(slopes[here], -1e3, 1e3))
        )
    squeezed: np.ndarray = np.arcsinh(np.concatenate(features))
    return squeezed


def shapes(nearby: np.ndarray) -> np.ndarray:
    """The shapes of many functions, as `shape` computes them but for the last digits.

    No sum here runs over more than one function, so that a shape does not depend on the others.

    Args:
        nearby: The functions' values at `NEARBY` [functions, points].

    Returns:
        [functions, features].
    """
    values, slopes = _finite(nearby)
    count = len(POINTS)
    normal = np.clip(values[:, count:], -1e3, 1e3), np.clip(slopes[:, count:], -1e3, 1e3)
    # [functions, spreads, nodes]
    by_spread = [part.reshape(len(part), len(_SPREADS), len(_NODES)) for part in normal]
    moments = np.stack(_integrals(*by_spread), axis=-1).reshape(len(values), -1)
    squeezed: np.ndarray = np.arcsinh(
        np.concatenate([values[:, :count], slopes[:, :count], moments], axis=1)
    )
    return squeezed


def mirrored(of: np.ndarray) -> np.ndarray:
    """The shapes of f(-x) from those of f(x) [..., features]."""
    turned: np.ndarray = of[..., _MIRRORED] * _MIRRORED_SIGN
    return turned


def negated(of: np.ndarray) -> np.ndarray:
    """The shapes of -f(x) from those of f(x) [..., features]."""
    turned: np.ndarray = of * _NEGATED_SIGN
    return turned


def upright(of: np.ndarray) -> np.ndarray:
    """The shapes of those mirror images that bend upwards, else are above 0, and rise.

    To a network whose weights begin as often negative as positive f(x), f(-x), -f(x) and -f(-x)
    are worth the same: with the weights before or after them turned, training goes on alike. So
    what is learnt of one is said of all. Where a network is not so, the last two features tell
    them apart.

    Args:
        of: Shapes [..., features].

    Returns:
        [..., features + 2]; the last two are 1 where f was negated, and where it was mirrored.
    """
    curvature, mean = of[..., _CURVATURE, None], of[..., _MEAN, None]
    is_down = np.where(np.abs(curvature) > _NONE, curvature, mean) < -_NONE
    up = np.where(is_down, negated(of), of)
    falls = up[..., _SLOPE, None] < -_NONE
    return np.concatenate([np.where(falls, mirrored(up), up), is_down, falls], axis=-1)


def _integrals(values: np.ndarray, slopes: np.ndarray) -> list[np.ndarray]:
    """As `_moments`, over the last axis of any number of functions."""

    def mean(integrand: np.ndarray) -> np.ndarray:
        total: np.ndarray = (integrand * _DENSITY).sum(axis=-1)
        return total

    average, square, slope = mean(values), mean(values**2), mean(slopes)
    return [
        average,
        square,
        slope,
        mean(slopes**2),
        slope**2 / (square - average**2 + 1e-9),
        mean(values * _NODES),
        mean(values * (_NODES**2 - 1.0)),
    ]


def _looked_at(function: Expression) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes wherever they are looked at, finite in any case."""
    return _finite(evaluate(function, NEARBY))


def _finite(nearby: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes [..., points] from values at `NEARBY` [..., 3 * points]."""
    values, above, below = np.split(nearby, 3, axis=-1)
    with np.errstate(all="ignore"):
        slopes = (above - below) / (2.0 * STEP)
    finite: np.ndarray = np.nan_to_num(
        np.stack([values, slopes]), nan=0.0, posinf=_LARGEST, neginf=-_LARGEST
    )
    return finite[0], finite[1]


def _moments(values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Integrals over a normal distribution, by Gauss-Hermite quadrature."""
    mean, square = _DENSITY @ values, _DENSITY @ values**2
    mean_slope = _DENSITY @ slopes
    return np.array(
        [
            mean,
            square,
            mean_slope,
            _DENSITY @ slopes**2,
            # The share of the variance that is linear in the input.
            mean_slope**2 / (square - mean**2 + 1e-9),
            _DENSITY @ (values * _NODES),
            _DENSITY @ (values * (_NODES**2 - 1.0)),
        ]
    )
