"""What practitioners ask of an activation function, decided by analysis or by dense evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy

from grammars.algebra.canonical import canonical
from grammars.analysis.limits import Far
from grammars.analysis.ranges import Extent, slope_range, value_range
from grammars.expressions.expression import Call, Constant, Expression, X, expanded, substitute
from grammars.numerics.compilation import evaluate
from grammars.numerics.derivative import derivative
from grammars.primitives import PRIMITIVES

# Where evidence is gathered: an even grid that names 0, and the tails by powers of ten.
REACH: Final = 10.0
_GRID: Final = numpy.arange(-10_000, 10_001) / 1000.0
_TAIL: Final = numpy.geomspace(10.0, 1e4, 400)
_LINE: Final = numpy.concatenate([-_TAIL[::-1], _GRID, _TAIL])

_ROUNDING: Final = 1e-10
_KINK_STEP: Final = 1e-6
_KINK: Final = 1e-4
_MOST_KINKS: Final = 20

# The midpoint rule under the normal density, which is below 1e-31 beyond 12; a jump at a round
# number lies between two points.
_NORMAL_POINTS: Final = (numpy.arange(-12_000, 12_000) + 0.5) / 1000.0
_NORMAL_WEIGHTS: Final = numpy.exp(-(_NORMAL_POINTS**2) / 2) / math.sqrt(2 * math.pi) / 1000.0

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


@dataclass(frozen=True)
class _Evidence:
    """A function and its slope on the line, computed once."""

    expression: Expression
    slope: Expression
    values: numpy.ndarray
    slopes: numpy.ndarray


def properties(expression: Expression) -> dict[str, Property]:
    """Everything that is known of a function, parameters at their start values.

    Args:
        expression: The function.

    Returns:
        Properties by name. Evidence is from [-10, 10] in steps of 1/1000 and from the tails up to
        1e4. Limits are known by analysis alone, and the ends of a range only where analysis says
        that nothing lies beyond what was seen.
    """
    expression = expanded(expression)
    slope = derivative(expression)
    values = evaluate(expression, _LINE)
    # Where there is no value there is no slope, whatever the rules of differentiation say.
    slopes = numpy.where(numpy.isnan(values), numpy.nan, evaluate(slope, _LINE))
    seen = _Evidence(expression, slope, values, slopes)
    kinks, jumps = _kinks(seen)
    extent = value_range(expression, values)
    slope_extent = slope_range(expression, slopes)
    found = {
        "range": [_number(extent.low), _number(extent.high)],
        "bounded_below": _is_finite(extent.low),
        "bounded_above": _is_finite(extent.high),
        "limit_left": _limit_word(extent.left),
        "limit_right": _limit_word(extent.right),
        "monotone": _monotone(seen),
        "convex": _convexity(expression),
        "derivative_range": [_number(slope_extent.low), _number(slope_extent.high)],
        "lipschitz_constant": _number(math.inf if jumps else slope_extent.size),
        "zero_derivative_share": _zero_share(seen),
        "dying_side": _side_word(*(_is_flat(slope, side) for side in (-1, 1))),
        "saturating": _saturating(extent, slope_extent),
        "undefined_share": round(float(1 - numpy.isfinite(seen.values).mean()), 6),
        **_moments(expression, are_certain=extent.is_finite),
    }
    answers = {name: Property(value, "numerical evidence") for name, value in found.items()}
    for name in ("limit_left", "limit_right"):
        answers[name] = Property(found[name], "analysis")
    answers["symmetry"] = _symmetry(seen)
    answers["zero_at_zero"] = _zero_at_zero(expression)
    answers["smooth"] = _smoothness(
        expression, extent, breaks=bool(kinks or jumps or extent.has_breaks)
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


def _monotone(seen: _Evidence) -> str:
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


def _convexity(expression: Expression) -> str:
    values = evaluate(expression, numpy.arange(-2000, 2001) / 100.0)
    if not numpy.isfinite(values).all():
        return "undefined somewhere"
    bends = values[:-2] - 2 * values[1:-1] + values[2:]
    size = numpy.maximum(numpy.abs(values[:-2]), numpy.abs(values[2:]))
    tolerance = 1e-14 * (1 + size) * 4
    convex, concave = bool((bends >= -tolerance).all()), bool((bends <= tolerance).all())
    return {
        (True, True): "affine",
        (True, False): "convex",
        (False, True): "concave",
        (False, False): "neither",
    }[convex, concave]


def _symmetry(seen: _Evidence) -> Property:
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


def _kinks(seen: _Evidence) -> tuple[list[float], list[float]]:
    """Where the slope jumps, and where the value does, within the reach of the grid."""
    kinks, jumps = [], []
    for place in _switching_places(canonical(seen.expression)):
        sides = numpy.array([place - _KINK_STEP, place + _KINK_STEP])
        below, above = evaluate(seen.expression, sides)
        slope_below, slope_above = evaluate(seen.slope, sides)
        slopes = max(abs(slope_below), abs(slope_above), 1.0)
        if abs(above - below) > 10 * _KINK_STEP * slopes + _KINK * 0.1:
            jumps.append(place)
        elif abs(slope_above - slope_below) > _KINK:
            kinks.append(place)
    return kinks[:_MOST_KINKS], jumps[:_MOST_KINKS]


def _switching_places(expression: Expression) -> list[float]:
    """Where a piecewise primitive goes from one piece to another, in order."""
    places = {place for switch in _switches(expression) for place in _roots(switch)}
    return sorted(places)


def _switches(expression: Expression) -> Iterator[Expression]:
    """The expressions whose sign decides which piece is taken."""
    for node in expression.walk():
        match node:
            case Call("abs" | "relu", (operand,)):
                yield operand
            case Call("sqrt", (operand,)):
                yield operand
            case Call("where", (condition, _, _)):
                yield condition
            case Call("max" | "min", (left, right)):
                yield Call("sub", (left, right))
            case Call("clip", (operand, low, high)):
                yield Call("sub", (operand, low))
                yield Call("sub", (operand, high))


def _roots(expression: Expression) -> list[float]:
    """Where an expression changes its sign or touches zero, within the reach of the grid."""
    values = evaluate(expression, _GRID)
    touching = _GRID[numpy.abs(values) <= 1e-15]
    if touching.size > _MOST_KINKS:
        # Zero on whole pieces: only their ends can be kinks.
        edges = numpy.flatnonzero(numpy.diff(numpy.abs(values) <= 1e-15))
        touching = _GRID[edges]
    with numpy.errstate(invalid="ignore"):
        crossings = numpy.flatnonzero(values[:-1] * values[1:] < 0)
    roots = [_bisected(expression, _GRID[i], _GRID[i + 1]) for i in crossings[: 4 * _MOST_KINKS]]
    return [round(float(root), 9) + 0.0 for root in (*touching, *roots)]


def _bisected(expression: Expression, low: float, high: float) -> float:
    sign = float(evaluate(expression, numpy.array(low)))
    for _ in range(40):
        middle = (low + high) / 2
        if float(evaluate(expression, numpy.array(middle))) * sign > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _zero_share(seen: _Evidence) -> float:
    """The share of [-10, 10] on which the slope is exactly 0."""
    inner = numpy.abs(_LINE) <= REACH
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


def _moments(expression: Expression, *, are_certain: bool) -> dict[str, float | str]:
    """Mean, variance and gain for inputs from N(0, 1).

    The gain is 1 / sqrt(E f^2): scaled by it, weights keep the second moment of what they sum (He,
    Zhang, Ren, Sun 2015, for ReLU; Bingham, Miikkulainen 2023 for any function).
    """
    if not are_certain:
        # Near a pole a sum over points says nothing of the integral.
        return dict.fromkeys(("mean", "variance", "gain"), UNKNOWN)
    values = evaluate(expression, _NORMAL_POINTS)
    mean = float(values @ _NORMAL_WEIGHTS)
    second = float((values**2) @ _NORMAL_WEIGHTS)
    gain = math.inf if second == 0 else 1 / math.sqrt(second)
    moments = {"mean": mean, "variance": second - mean**2, "gain": gain}
    return {name: _number(0.0 if abs(m) < 1e-12 else m) for name, m in moments.items()}
