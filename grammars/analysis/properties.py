"""What practitioners ask of an activation function, decided by analysis or by dense evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy

from grammars.algebra.canonical import canonical
from grammars.analysis.convexity import convexity
from grammars.analysis.evidence import Evidence, evidence
from grammars.analysis.limits import Far
from grammars.analysis.ranges import Extent, slope_range, value_range
from grammars.analysis.switching import REACH, kinks_and_jumps
from grammars.expressions.expression import Call, Constant, Expression, X, expanded, substitute
from grammars.numerics.compilation import evaluate
from grammars.primitives import PRIMITIVES

_ROUNDING: Final = 1e-10

# The midpoint rule under the normal density, which is below 1e-31 beyond 12; a jump at a round
# number lies between two points.
_NORMAL_POINTS: Final = (numpy.arange(-12_000, 12_000) + 0.5) / 1000.0
_NORMAL_WEIGHTS: Final = numpy.exp(-(_NORMAL_POINTS**2) / 2) / math.sqrt(2 * math.pi) / 1000.0
# What is left of the largest term where the sum ends, at most.
_SETTLED: Final = 1e-6

UNKNOWN: Final = "unknown"

Basis = Literal["analysis", "numerical evidence"]


@dataclass(frozen=True)
class Property:
    """One answer.

    Attributes:
        value: A number, a word, a truth value, a list of places, or None where there is none; an
            infinite number is the word "inf" or "-inf", and what neither analysis nor evidence
            settles is "unknown".
        decided_by: Whether algebra shows it, or values on a dense grid do.
    """

    value: Any
    decided_by: Basis


def properties(expression: Expression) -> dict[str, Property]:
    """Everything that is known of a function, parameters at their start values.

    Args:
        expression: The function.

    Returns:
        Properties by name. Evidence is from [-10, 10] in steps of 1/1000 and from the tails up to
        1e4. Limits are known by analysis alone, and the ends of a range only where analysis says
        that nothing lies beyond what was seen.
    """
    seen = evidence(expanded(expression))
    kinks, jumps = kinks_and_jumps(seen.expression, seen.slope, seen.places)
    extent = value_range(seen.expression, seen.points, seen.values)
    slope_extent = slope_range(seen.expression, seen.true_slope, seen.points, seen.slopes)
    found = {
        "range": [_number(extent.low), _number(extent.high)],
        "bounded_below": _is_finite(extent.low),
        "bounded_above": _is_finite(extent.high),
        "limit_left": _limit_word(extent.left),
        "limit_right": _limit_word(extent.right),
        "monotone": _monotone(seen),
        "convex": convexity(seen, extent, slope_extent, jumps=bool(jumps)),
        "derivative_range": [_number(slope_extent.low), _number(slope_extent.high)],
        "lipschitz_constant": _number(math.inf if jumps else slope_extent.size),
        "zero_derivative_share": _zero_share(seen),
        "dying_side": _side_word(*(_is_flat(seen.slope, side) for side in (-1, 1))),
        "saturating": _saturating(extent, slope_extent),
        "undefined_share": _undefined_share(seen),
        **_moments(seen, extent),
    }
    answers = {name: Property(value, "numerical evidence") for name, value in found.items()}
    for name in ("limit_left", "limit_right"):
        answers[name] = Property(found[name], "analysis")
    answers["symmetry"] = _symmetry(seen)
    answers["zero_at_zero"] = _zero_at_zero(seen.expression)
    answers["smooth"] = _smoothness(
        seen.expression, extent, breaks=bool(kinks or jumps or extent.has_breaks)
    )
    answers["kinks"] = Property(kinks, answers["smooth"].decided_by)
    answers["jumps"] = Property(jumps, answers["smooth"].decided_by)
    return answers


def _number(value: float | None) -> float | str:
    """A number as it goes to JSON, without the noise of its last digits."""
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return str(value)
    return float(f"{value:.9g}") + 0.0


def _is_finite(end: float | None) -> bool | str:
    return UNKNOWN if end is None else math.isfinite(end)


def _limit_word(far: Far) -> float | str | None:
    """A limit, "unknown", or None where there is none."""
    if not far.is_known:
        return UNKNOWN
    return None if far.limit is None else _number(far.limit)


def _saturating(extent: Extent, slopes: Extent) -> str:
    """On which sides the function comes to rest."""
    words = []
    for far, flattens in ((extent.left, slopes.left), (extent.right, slopes.right)):
        if not far.is_known:
            return UNKNOWN
        is_finite = far.limit is not None and math.isfinite(far.limit)
        if is_finite and not flattens.is_known:
            return UNKNOWN
        words.append(is_finite and flattens.limit == 0.0)
    return _side_word(*words)


def _monotone(seen: Evidence) -> str:
    values = seen.values[numpy.isfinite(seen.values)]
    steps = numpy.diff(values)
    tolerance = 1e-13 * (1 + numpy.abs(values[1:]))
    up, down = bool((steps >= -tolerance).all()), bool((steps <= tolerance).all())
    return {
        (True, True): "constant",
        (True, False): "increasing",
        (False, True): "decreasing",
        (False, False): "no",
    }[up, down]


def _symmetry(seen: Evidence) -> Property:
    """Odd or even: by the canonical form of f(-x) if it tells, by values if not."""
    form = canonical(seen.expression)
    mirrored = canonical(substitute(seen.expression, Call("neg", (X,))))
    if form.uses_input and mirrored == form:
        return Property("even", "analysis")
    if form.uses_input and canonical(Call("neg", (mirrored,))) == form:
        return Property("odd", "analysis")
    values = numpy.where(numpy.isfinite(seen.values), seen.values, 0.0)
    tolerance = _ROUNDING * (1 + numpy.abs(values))
    for word, sign in (("even", 1), ("odd", -1)):
        if (numpy.abs(values - sign * values[::-1]) <= tolerance).all():
            return Property(word, "numerical evidence")
    return Property("neither", "numerical evidence")


def _zero_at_zero(expression: Expression) -> Property:
    value = float(evaluate(expression, numpy.zeros(())))
    return Property(abs(value) <= 1e-15, "analysis")


def _smoothness(expression: Expression, extent: Extent, *, breaks: bool) -> Property:
    calls = [node for node in canonical(expression).walk() if isinstance(node, Call)]
    is_certain = all(PRIMITIVES[call.primitive].smooth and not _may_break(call) for call in calls)
    if not (breaks or extent.knows_all):
        return Property(UNKNOWN, "numerical evidence")
    return Property(not breaks, "analysis" if is_certain else "numerical evidence")


def _may_break(call: Call) -> bool:
    """Whether a smooth primitive meets arguments at which it is not."""
    match call:
        case Call("div", (_, Constant(divisor))):
            return divisor == 0
        case Call("pow", (_, Constant(exponent))):
            return not (exponent.is_integer() and exponent >= 0)
        case _:
            return not PRIMITIVES[call.primitive].total


def _undefined_share(seen: Evidence) -> float:
    values = seen.values[seen.on_line]
    return round(float(1 - numpy.isfinite(values).mean()), 6)


def _zero_share(seen: Evidence) -> float:
    """The share of [-10, 10] on which the slope is exactly 0."""
    inner = numpy.abs(seen.points) <= REACH
    return round(float((seen.slopes[inner] == 0).mean()), 3)


def _is_flat(slope: Expression, side: int) -> bool:
    return bool((evaluate(slope, side * numpy.linspace(5.0, REACH, 200)) == 0).all())


def _side_word(left: bool, right: bool) -> str:
    return {
        (True, True): "both",
        (True, False): "left",
        (False, True): "right",
        (False, False): "none",
    }[left, right]


def _moments(seen: Evidence, extent: Extent) -> dict[str, float | str]:
    """Mean, variance and gain for inputs from N(0, 1), as far as a sum over points tells them.

    The gain is 1 / sqrt(E f^2): scaled by it, weights keep the second moment of what they sum (He,
    Zhang, Ren, Sun 2015, for ReLU; Bingham, Miikkulainen 2023 for any function).
    """
    moments: dict[str, float | str] = dict.fromkeys(("mean", "variance", "gain"), UNKNOWN)
    if not extent.is_finite:
        # Near a pole a sum over points says nothing of the integral.
        return moments
    values = evaluate(seen.expression, _NORMAL_POINTS)
    squares = values**2
    unseen = _unseen(seen, is_bounded=extent.size not in (None, math.inf))
    mean, second = (float(each @ _NORMAL_WEIGHTS) for each in (values, squares))
    if _settles(values * _NORMAL_WEIGHTS, unseen):
        moments["mean"] = _moment(mean)
    if _settles(squares * _NORMAL_WEIGHTS, unseen):
        moments["variance"] = _moment(second - mean**2)
        moments["gain"] = _moment(math.inf if second == 0 else 1 / math.sqrt(second))
    return moments


def _moment(value: float) -> float | str:
    return _number(0.0 if abs(value) < 1e-12 else value)


def _unseen(seen: Evidence, *, is_bounded: bool) -> numpy.ndarray:
    """The points at which a sum ends, or a guard hides how a function grows."""
    if is_bounded or not seen.is_held.any():
        unseen = numpy.zeros(_NORMAL_POINTS.shape, bool)
    else:
        unseen = numpy.interp(_NORMAL_POINTS, seen.points, seen.is_held) > 0
    unseen[[0, -1]] = True
    return unseen


def _settles(terms: numpy.ndarray, unseen: numpy.ndarray) -> bool:
    """Whether what a sum leaves out is small; where it is no number, that is its answer."""
    sizes = numpy.abs(terms)
    most = float(sizes.max())
    return not (math.isinf(most) or sizes[unseen].max() > _SETTLED * most)
