"""What needs no training to be known: candidates that cannot work are rejected here."""

from __future__ import annotations

from typing import Final

import numpy as np

from grammars import Activation, Expression, Layered, evaluate

# Where a network's pre-activations lie, and the points at which formulas break.
POINTS: Final = np.unique(
    np.concatenate([np.linspace(-10.0, 10.0, 401), [0.0, -1e-30, 1e-30, -1e-3, 1e-3]])
)
BULK: Final = np.abs(POINTS) <= 3.0
REACH: Final = np.abs(POINTS) <= 5.0  # hard sigmoid, for one, is a line on [-3, 3]

LARGEST_VALUE: Final = 1e30  # its square is still far from the end of float64, it from float32's
LARGEST_SLOPE: Final = 1e3
SMALLEST_SLOPE: Final = 1e-3
STEP: Final = 1e-8  # of one-sided differences: a vertical tangent shows as a slope of 1e4
RELATIVE_FLATNESS: Final = 1e-6


def probe(activation: Activation) -> str | None:
    """Decides without training whether a candidate can work at all.

    A function passes if it is finite on [-10, 10], in float64 and float32; if it is neither
    constant nor affine on [-5, 5], which normalised pre-activations hardly leave (any number of
    such layers is one layer); and if an optimiser can follow its slope on [-3, 3], where nearly
    all of them lie. Of several functions each must pass, but that some may be affine.

    Args:
        activation: The candidate; trainable parameters are taken at their start values.

    Returns:
        The reason for a rejection, in words; None if the candidate may be trained.
    """
    if not isinstance(activation, Layered):
        return _flaw(activation)
    for layer, function in activation.by_layer_name.items():
        if flaw := _flaw(function, may_be_affine=True):
            return f"{layer}: {flaw}"
    affine = [_affine(evaluate(function, POINTS)) for function in activation.functions]
    return affine[0] if all(affine) else None


def _flaw(expression: Expression, *, may_be_affine: bool = False) -> str | None:
    if not expression.uses_input:
        return "constant: x does not occur in it"
    values = evaluate(expression, POINTS)
    return (
        _not_finite(expression, values)
        or _constant(values)
        or (None if may_be_affine else _affine(values))
        or _slope_out_of_range(expression, values)
    )


def _not_finite(expression: Expression, values: np.ndarray) -> str | None:
    single = evaluate(expression, POINTS.astype(np.float32))
    for precision, computed in (("float64", values), ("float32", single)):
        bad = ~np.isfinite(computed) | (np.abs(computed) > LARGEST_VALUE)
        if bad.any():
            first = int(np.argmax(bad))
            return f"not finite: f({POINTS[first]:.4g}) = {computed[first]:.4g} in {precision}"
    return None


def _constant(values: np.ndarray) -> str | None:
    y = values[REACH]
    if float(np.ptp(y)) <= RELATIVE_FLATNESS * max(1.0, float(np.abs(y).max())):
        return f"constant: f(x) = {y[0]:.4g} on [-5, 5]"
    return None


def _affine(values: np.ndarray) -> str | None:
    x, y = POINTS[REACH], values[REACH]
    slope, offset = np.polyfit(x, y, 1)
    if float(np.abs(y - slope * x - offset).max()) <= RELATIVE_FLATNESS * float(np.ptp(y)):
        return f"affine: f(x) = {_line(float(slope), float(offset))}, so any depth is one layer"
    return None


def _line(slope: float, offset: float) -> str:
    """`slope x + offset` as one would write it by hand, rounding errors of the fit left out."""
    slope_text, offset_text = f"{slope:.4g}", f"{abs(offset):.4g}"
    product = {"1": "x", "-1": "-x"}.get(slope_text, f"{slope_text} x")
    if abs(offset) <= RELATIVE_FLATNESS * abs(slope):
        return product
    return f"{product} {'-' if offset < 0 else '+'} {offset_text}"


def _slope_out_of_range(expression: Expression, values: np.ndarray) -> str | None:
    x, y = POINTS[BULK], values[BULK]
    right = (evaluate(expression, x + STEP) - y) / STEP
    left = (y - evaluate(expression, x - STEP)) / STEP
    steepness = np.maximum(np.abs(right), np.abs(left))
    if not (steepness <= LARGEST_SLOPE).all():
        worst = int(np.argmax(np.nan_to_num(steepness, nan=np.inf)))
        return f"too steep: |f'| exceeds {LARGEST_SLOPE:,.0f} near x = {x[worst]:.4g}"
    if float(np.median(steepness)) == 0.0 and float(np.quantile(steepness, 0.9)) == 0.0:
        return "no gradient: f' is 0 almost everywhere on [-3, 3]"
    if float(steepness.max()) < SMALLEST_SLOPE:
        return f"too flat: |f'| stays below {SMALLEST_SLOPE} on [-3, 3]"
    return None
