"""What a function comes to far to the left and to the right, by analysis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy

from grammars.analysis.growth import (
    LINEAR,
    STEADY,
    Series,
    UndefinedGrowthError,
    UnknownGrowthError,
    add,
    exponential,
    logarithm,
    multiply,
    number,
    power,
    scaled,
    vanishing,
)
from grammars.expressions.expression import Call, Constant, Expression, Parameter, Variable, X
from grammars.numerics.compilation import evaluate
from grammars.numerics.derivative import partials
from grammars.primitives import PRIMITIVES

Rule = Callable[..., Series]


@dataclass(frozen=True)
class Far:
    """What a function comes to on one side.

    Attributes:
        limit: Infinite where the function grows without bound; None where there is none.
        is_known: Whether analysis tells of the limit.
        is_bounded: Whether the values are known to stay bounded there.
    """

    limit: float | None
    is_known: bool = True
    is_bounded: bool = False


def far(expression: Expression, side: int) -> Far:
    """What the function comes to for x to plus or minus infinity, parameters where they start.

    Guards are left out: the limit of `exp(x)` is infinite.

    Args:
        expression: The function.
        side: 1 for the right, -1 for the left.

    Returns:
        What analysis tells.
    """
    try:
        series = _series(expression, float(side), {})
    except UndefinedGrowthError:
        return Far(None)
    except (UnknownGrowthError, OverflowError, ZeroDivisionError):
        return Far(None, is_known=False)
    is_bounded = series.size is None or series.size.order <= STEADY.order
    try:
        return Far(series.limit, is_bounded=is_bounded)
    except UnknownGrowthError:
        return Far(None, is_known=False, is_bounded=is_bounded)


def growth(expression: Expression, side: int) -> tuple[float, ...] | None:
    """How a function grows on one side, the same for all that scaling and shifting make of it.

    Returns:
        Nothing but equal for equal growth; empty where the function comes to rest, None where
        analysis does not tell.
    """
    try:
        series = _series(expression, float(side), {})
        limit = series.limit
    except (UnknownGrowthError, OverflowError, ZeroDivisionError):
        return None
    if limit is None or series.lead is None or math.isfinite(limit):
        return () if limit is not None else None
    degree, rate, power, logs = series.lead[0]
    return degree, math.copysign(1.0, rate) if rate else 0.0, power, logs


def _series(node: Expression, side: float, known: dict[Expression, Series]) -> Series:
    if node not in known:
        match node:
            case Variable():
                known[node] = Series(((LINEAR, side),))
            case Constant(value) | Parameter(_, value):
                known[node] = number(value)
            case Call("where", (condition, positive, negative)):
                # What is not taken far from 0 need not have a value there.
                taken = positive if _series(condition, side, known).sign >= 0 else negative
                known[node] = _series(taken, side, known)
            case Call(primitive, operands):
                known[node] = _of_call(primitive, [_series(o, side, known) for o in operands])
    return known[node]


def _of_call(primitive: str, operands: list[Series]) -> Series:
    rule = _RULES.get(primitive)
    if rule is not None:
        return rule(*operands)
    row = PRIMITIVES[primitive]
    if row.lowering is None or row.arity != 1:
        raise UnknownGrowthError
    # As a function of x that does what the operand does.
    return _series(row.lowering(X), 1.0, {X: operands[0]})


def _smooth(primitive: str, a: Series, far: Callable[[Series], Series]) -> Series:
    """f(L + r) = f(L) + f'(L) r + O(r^2) where the argument comes to rest; `far` where it grows."""
    try:
        place = a.limit
    except UnknownGrowthError:
        place = None
    if place is None:
        return _swinging(primitive, a)
    if math.isinf(place):
        return far(a)
    at = numpy.array(place)
    value = float(evaluate(Call(primitive, (X,)), at))
    (slope,) = (float(evaluate(each, at)) for each in partials(Call(primitive, (X,))))
    rest = add(a, number(-place))
    if not (math.isfinite(value) and math.isfinite(slope)):
        raise UnknownGrowthError
    return add(number(value), scaled(rest, slope), _as_error(multiply(rest, rest)))


def _swinging(primitive: str, a: Series) -> Series:
    """A function of what swings between bounds swings between bounds if it is one-to-one."""
    row = PRIMITIVES[primitive]
    is_bounded = a.lead is None or a.lead[0].order <= STEADY.order
    if not (row.total and is_bounded and a.error == STEADY):
        return _within_bounds(primitive)
    return Series((), STEADY, a.swings and row.monotone is not None)


def _within_bounds(primitive: str) -> Series:
    if not all(map(math.isfinite, PRIMITIVES[primitive].range)):
        raise UnknownGrowthError
    return vanishing(STEADY)


def _sigmoid_far(a: Series) -> Series:
    if a.sign < 0:
        tail = exponential(a)
        return add(tail, _squared(tail))
    tail = exponential(scaled(a, -1.0))
    return add(number(1.0), scaled(tail, -1.0), _squared(tail))


def _as_error(series: Series) -> Series:
    """Something of which no more than this size is known."""
    return Series() if series.size is None else vanishing(series.size)


def _squared(tail: Series) -> Series:
    return _as_error(multiply(tail, tail))


def _softplus_far(a: Series) -> Series:
    tail = exponential(scaled(a, -float(a.sign)))
    return add(*([a] if a.sign > 0 else []), tail, _squared(tail))


def _tanh_far(a: Series) -> Series:
    tail = scaled(exponential(scaled(a, -2.0 * a.sign)), 2.0)
    return scaled(add(number(1.0), scaled(tail, -1.0), _squared(tail)), float(a.sign))


def _erf_far(a: Series) -> Series:
    # 1 - erf(a) < exp(-a^2) for a > 0 (Chang, Cosman, Milstein 2011).
    tail = _as_error(exponential(scaled(multiply(a, a), -1.0)))
    return add(number(float(a.sign)), tail)


def _atan_far(a: Series) -> Series:
    inverse = power(a, -1.0)
    error = _as_error(multiply(inverse, multiply(inverse, inverse)))
    return add(number(a.sign * math.pi / 2), scaled(inverse, -1.0), error)


def _asinh_far(a: Series) -> Series:
    size = scaled(a, float(a.sign))
    inverse = power(multiply(a, a), -1.0)
    value = add(logarithm(scaled(size, 2.0)), _as_error(inverse))
    return scaled(value, float(a.sign))


def _wave_far(a: Series) -> Series:
    return Series((), STEADY, swings=a.error is None)


def _sinc_far(a: Series) -> Series:
    return multiply(_wave_far(a), power(a, -1.0))


def _hyperbolic(a: Series, *, sign: float) -> Series:
    return scaled(add(exponential(a), scaled(exponential(scaled(a, -1.0)), sign)), 0.5)


def _absolute(a: Series) -> Series:
    return _maximum(a, scaled(a, -1.0))


def _rectified(a: Series) -> Series:
    return _maximum(a, Series())


def _maximum(a: Series, b: Series) -> Series:
    difference = add(a, scaled(b, -1.0))
    if difference.lead is None and difference.error is not None:
        # Whichever of the two is the larger, it is no further from b than they are apart.
        return add(b, vanishing(difference.error))
    return a if difference.sign >= 0 else b


def _minimum(a: Series, b: Series) -> Series:
    return scaled(_maximum(scaled(a, -1.0), scaled(b, -1.0)), -1.0)


def _power(a: Series, b: Series) -> Series:
    if b.error is None and not b.terms:
        return power(a, 0.0) if a.terms else number(1.0)
    if b.error is None and len(b.terms) == 1 and b.terms[0][0] == STEADY:
        return power(a, b.terms[0][1])
    return exponential(multiply(b, logarithm(a)))


def _smooth_rule(primitive: str, far: Callable[[Series], Series]) -> Rule:
    return lambda a: _smooth(primitive, a, far)


_RULES: Final[dict[str, Rule]] = {
    "neg": lambda a: scaled(a, -1.0),
    "abs": _absolute,
    "square": lambda a: multiply(a, a),
    "cube": lambda a: multiply(multiply(a, a), a),
    "sqrt": lambda a: power(a, 0.5),
    "exp": exponential,
    "expm1": _smooth_rule("expm1", lambda a: add(exponential(a), number(-1.0))),
    "log": logarithm,
    "log1p": _smooth_rule("log1p", lambda a: logarithm(add(number(1.0), a))),
    "sin": _smooth_rule("sin", _wave_far),
    "cos": _smooth_rule("cos", _wave_far),
    "sinc": _smooth_rule("sinc", _sinc_far),
    "sinh": _smooth_rule("sinh", lambda a: _hyperbolic(a, sign=-1.0)),
    "cosh": _smooth_rule("cosh", lambda a: _hyperbolic(a, sign=1.0)),
    "tanh": _smooth_rule("tanh", _tanh_far),
    "asinh": _smooth_rule("asinh", _asinh_far),
    "atan": _smooth_rule("atan", _atan_far),
    "sigmoid": _smooth_rule("sigmoid", _sigmoid_far),
    "log_sigmoid": _smooth_rule(
        "log_sigmoid", lambda a: scaled(_softplus_far(scaled(a, -1.0)), -1.0)
    ),
    "softplus": _smooth_rule("softplus", _softplus_far),
    "erf": _smooth_rule("erf", _erf_far),
    "relu": _rectified,
    "add": add,
    "sub": lambda a, b: add(a, scaled(b, -1.0)),
    "mul": multiply,
    "div": lambda a, b: multiply(a, power(b, -1.0)),
    "pow": _power,
    "max": _maximum,
    "min": _minimum,
    "clip": lambda a, b, c: _minimum(_maximum(a, b), c),
}
