"""What files have to give at NaN, at infinity and at numbers below the smallest normal one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy

from grammars.export.function import Function
from grammars.export.recognition import WHOLE_FUNCTIONS, published, recognise
from grammars.export.reference import Reference, reference, ties
from grammars.expressions.expression import Call, Expression, Parameter
from grammars.numerics.compilation import interpret
from grammars.numerics.derivative import derivative
from grammars.primitives import NUMPY, PRIMITIVES

_TINY: Final = float(numpy.finfo(numpy.float32).tiny)
# Where float32 errs by more than the rounding of a few operations, it has lost the number.
_ROUNDING: Final = 1e-5
_SMALLEST: Final = float(numpy.finfo(numpy.float32).smallest_subnormal)


def special_points() -> numpy.ndarray:
    """The inputs, float32."""
    small = numpy.array([_TINY, _TINY / 2, 1e-40, _SMALLEST])
    points = numpy.concatenate([[numpy.nan, numpy.inf, -numpy.inf], small, -small])
    return numpy.asarray(points, numpy.float32)


@dataclass(frozen=True)
class Answers:
    """What a file may answer at each special input.

    Attributes:
        right: Arrays in the shape of the input, each of which is right as a whole or in part.
        compared: Where they are to be held to.
        may_be_nan: Where NaN is right beside them.
    """

    right: tuple[numpy.ndarray, ...]
    compared: numpy.ndarray
    may_be_nan: numpy.ndarray

    def wrong(self, actual: numpy.ndarray, tolerance: float) -> numpy.ndarray:
        """Where a file disagrees with every right answer, in the shape of the input."""
        fine = self.may_be_nan & numpy.isnan(actual)
        with numpy.errstate(all="ignore"):
            for wanted in self.right:
                error = numpy.abs(actual - wanted) / (1.0 + numpy.abs(wanted))
                fine |= _are_alike(actual, wanted) & ~(error > tolerance)
        return numpy.asarray(self.compared & ~fine)


@dataclass(frozen=True)
class Special:
    """The special inputs of a function, and what has to come out.

    The policy. A value is that of float64, NaN and infinities included, or at a number below the
    smallest normal one that of 0 with its sign, which some processors take for it. Nothing is
    compared where float32 differs from float64, as where 1 / x overflows or a sine has lost its
    phase. A slope that we print is held to the same. What a framework differentiates itself has, at
    NaN, no number where the function is smooth; at infinity it has the right number, or NaN where
    the framework multiplies 0 by infinity; and at a kink, which NaN is for functions that have one,
    a convention; so it is where float32's range makes two sides of a maximum the same number. At
    numbers that are close to the smallest, a slope is compared where the rounding of an operation
    cannot change it: that of erf(x) / x divides what is left of a difference by x. XLA computes
    a / exp(b) as a * exp(-b), and a quotient of quotients as one; what these give is right as well.
    PyTorch's GELU, which oneDNN computes on CPUs, has no value at infinity.

    Attributes:
        x: In a second axis repeated for each channel where channels differ.
        value: Of the value.
        printed_slope: Of a slope that the file computes by itself.
        derived_slope: Of one that the framework derives.
    """

    x: numpy.ndarray
    value: Answers
    printed_slope: Answers
    derived_slope: Answers


def special(function: Function, parameters: Mapping[str, Any]) -> Special:
    """Computes what has to come out.

    Args:
        function: As it is exported.
        parameters: Values by name in the expression, as one number or one a channel.
    """
    x = special_points()
    if (channels := function.channels) is not None:
        x = numpy.repeat(x[:, None], channels, axis=1)
    # Before anything is folded, since no arithmetic here knows a number that is infinite.
    named = recognise(function.stable, tuple(WHOLE_FUNCTIONS))
    whole = published(named)
    value = _answers((function.stable, whole), x, parameters)
    has_gelu = any(isinstance(node, Call) and node.primitive == "gelu" for node in named.walk())
    by_xla = _computed(_as_xla(function.stable), x, _narrow(parameters))
    value = replace(value, right=(*value.right, by_xla), may_be_nan=numpy.isinf(x) & has_gelu)
    printed = _answers((derivative(function.stable),), x, parameters)
    derived = reference(function.expression, x, parameters)
    # At a kink the last bit of a tiny number decides.
    is_sure = derived.slope_spread <= _ROUNDING * (1.0 + numpy.abs(derived.slope))
    is_certain = numpy.where(numpy.isfinite(x), derived.smooth & is_sure, True)
    printed = replace(printed, compared=printed.compared & is_certain)
    return Special(x, value, printed, _derived(function, parameters, derived, x, printed))


def _answers(
    forms: tuple[Expression, ...], x: numpy.ndarray, parameters: Mapping[str, Any]
) -> Answers:
    """Every form in float64 at the input, and with what is below normal numbers as 0."""
    exact = x.astype(float)
    flushed = numpy.where(numpy.abs(exact) < _TINY, numpy.copysign(0.0, exact), exact)
    right = tuple(_computed(form, at, parameters) for form in forms for at in (exact, flushed))
    rounded = _computed(forms[0], x, _narrow(parameters))
    with numpy.errstate(all="ignore"):
        error = numpy.abs(rounded - right[0]) / (1.0 + numpy.abs(right[0]))
    compared = _are_alike(rounded, right[0]) & ~(error > _ROUNDING)
    return Answers(right, compared, numpy.zeros(x.shape, bool))


def _derived(
    function: Function,
    parameters: Mapping[str, Any],
    derived: Reference,
    x: numpy.ndarray,
    printed: Answers,
) -> Answers:
    calls = {node.primitive for node in function.expression.walk() if isinstance(node, Call)}
    is_smooth = all(PRIMITIVES[name].smooth for name in calls)
    is_number = numpy.isfinite(derived.slope)
    compared = printed.compared & _are_alike(printed.right[0], derived.slope)
    # A slope by x / x squares x, and so has no slope that float32 holds where x is tiny.
    can_be_derived = numpy.isinf(x) | numpy.isfinite(derived.slope_spread)
    is_known = derived.smooth & is_number & can_be_derived
    compared &= numpy.where(numpy.isnan(x), is_smooth & ~is_number, is_known)
    compared &= numpy.isnan(x) | ~ties(function.expression, x, parameters)
    return Answers((derived.slope, *printed.right), compared, numpy.isinf(x))


def _as_xla(expression: Expression) -> Expression:
    """With quotients as XLA's algebraic simplifier writes them."""
    if not isinstance(expression, Call):
        return expression
    match Call(expression.primitive, tuple(map(_as_xla, expression.arguments))):
        case Call("div", (dividend, Call("exp", (power,)))):
            return Call("mul", (dividend, Call("exp", (Call("neg", (power,)),))))
        case Call("div", (dividend, Call("div", (a, b)))):
            return Call("div", (Call("mul", (dividend, b)), a))
        case Call("div", (Call("div", (a, b)), divisor)):
            return Call("div", (a, Call("mul", (b, divisor))))
        case rewritten:
            return rewritten


def _narrow(parameters: Mapping[str, Any]) -> dict[str, numpy.ndarray]:
    return {name: numpy.asarray(v, numpy.float32) for name, v in parameters.items()}


def _computed(
    expression: Expression, x: numpy.ndarray, parameters: Mapping[str, Any]
) -> numpy.ndarray:
    """The values in the shape of `x`; what a derivative repeats is computed once."""
    known: dict[int, Any] = {}

    def value(node: Expression) -> Any:
        if id(node) not in known:
            known[id(node)] = compute(node)
        return known[id(node)]

    def compute(node: Expression) -> Any:
        if not isinstance(node, Call):
            return interpret(node, x, arrays=NUMPY, parameters=parameters)
        given = {str(place): value(operand) for place, operand in enumerate(node.operands)}
        outermost = Call(node.primitive, tuple(Parameter(place, 0.0) for place in given))
        return interpret(outermost, x, arrays=NUMPY, parameters=given)

    with numpy.errstate(all="ignore"):
        return numpy.broadcast_to(numpy.asarray(value(expression), x.dtype), x.shape)


def _are_alike(left: numpy.ndarray, right: numpy.ndarray) -> numpy.ndarray:
    """Where both are NaN, the same infinity, or finite."""
    both_finite = numpy.isfinite(left) & numpy.isfinite(right)
    both_nan = numpy.isnan(left) & numpy.isnan(right)
    return numpy.asarray(both_finite | both_nan | (left == right))
