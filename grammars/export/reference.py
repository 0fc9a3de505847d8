"""What an exported file has to compute, and how far float32 may stray from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import ml_dtypes
import numpy

from grammars.export.lowering import constant_value, fold, guard_branches
from grammars.export.writing import uses
from grammars.expressions.expression import Call, Constant, Expression, Parameter, Variable
from grammars.numerics.compilation import interpret, to_jax
from grammars.numerics.derivative import derivative
from grammars.primitives import EXP_ARGUMENT_MAX, NUMPY, PRIMITIVES

# A correctly rounded float32 operation errs by half of this, a library function by one or two.
_ROUNDING: Final = float(numpy.finfo(numpy.float32).eps)
_LARGEST: Final = float(numpy.finfo(numpy.float32).max)
_SMALLEST: Final = float(numpy.finfo(numpy.float32).tiny)
_SMALLEST_SUBNORMAL: Final = float(numpy.finfo(numpy.float32).smallest_subnormal)
# Slopes of close points that differ by more belong to two pieces of the function. Nearer than this
# step, the rounding of what a maximum compares can hide on which side of a kink a point lies.
_KINK_STEP: Final = 1e-6
_KINK: Final = 1e-3
# A sine whose argument is less certain than this, in radians, can be anything.
_PHASE: Final = 0.05
_SAMPLES: Final = 8
_SEED: Final = 2017


def points() -> numpy.ndarray:
    """The inputs of a verification: float32 numbers from -1e3 to 1e3, special ones among them."""
    special = [
        0.5,
        1.0,
        2.0,
        3.0,
        6.0,
        20.0,
        87.0,
        88.0,
        EXP_ARGUMENT_MAX,
        89.0,
        100.0,
        104.0,
        710.0,
    ]
    magnitudes = 10.0 ** numpy.arange(-30, 4)
    one_side = numpy.concatenate([special, magnitudes])
    fine = numpy.concatenate([numpy.linspace(-10, 10, 402), numpy.linspace(-1e3, 1e3, 200)])
    # Every other number is one that bfloat16 holds too, so that one reference serves both.
    coarse = fine.astype(ml_dtypes.bfloat16)
    grid = [array.astype(numpy.float32) for array in (fine, coarse, one_side, -one_side)]
    return numpy.unique(numpy.concatenate([*grid, numpy.zeros(1, numpy.float32)]))


@dataclass(frozen=True)
class Reference:
    """What to compare with, each array in the shape of the points.

    Attributes:
        value: f in float64.
        slope: f' in float64; at a kink, JAX's convention.
        smooth: Whether the slopes on both sides are that of the point itself. Elsewhere there is a
            kink, where a framework's slope is its convention.
        value_spread: By how much f moves when each operation is rounded otherwise, as float32 may
            round it; not finite where float32 cannot hold an intermediate result.
        slope_spread: The same for f'.
    """

    value: numpy.ndarray
    slope: numpy.ndarray
    smooth: numpy.ndarray
    value_spread: numpy.ndarray
    slope_spread: numpy.ndarray


def reference(expression: Expression, x: numpy.ndarray, parameters: Mapping[str, Any]) -> Reference:
    """Computes what an exported function has to agree with.

    The slope is JAX's forward-mode derivative in float64, which shares no code with the printed
    derivatives. The spread is measured by Monte Carlo arithmetic (Parker, "Monte Carlo Arithmetic",
    1997): the expression is evaluated several times with random relative errors of the size of
    float32's rounding after every operation.

    Args:
        expression: As it was found, before anything was rewritten.
        x: float32 numbers of any shape.
        parameters: Values by name, broadcastable against `x`.
    """
    exact = x.astype(numpy.float64)
    value, slope = _value_and_slope(expression, exact, parameters)
    smooth = numpy.ones(x.shape, bool)
    step = numpy.where(numpy.isfinite(exact), _KINK_STEP * numpy.maximum(1.0, abs(exact)), 0.0)
    for beside in (exact - step, exact + step):
        _, side = _value_and_slope(expression, beside, parameters)
        with numpy.errstate(all="ignore"):
            smooth &= numpy.abs(side - slope) <= _KINK * (1.0 + numpy.abs(slope))
    # Pieces may meet smoothly and yet be told apart by a kink within, as in where(x >= 0, |x|, x).
    smooth &= ~_Walk(exact, parameters).ties(expression)
    return Reference(value, slope, smooth, *_spread(expression, exact, parameters))


def ties(expression: Expression, x: numpy.ndarray, parameters: Mapping[str, Any]) -> numpy.ndarray:
    """Where two sides of a maximum or its kin are the same number to float32.

    Numbers beyond its largest count as infinite, and those below its smallest normal one as 0.
    """
    return _Walk(x.astype(float), parameters, is_narrow=True).ties(expression)


def _value_and_slope(
    expression: Expression, x: numpy.ndarray, parameters: Mapping[str, Any]
) -> tuple[numpy.ndarray, numpy.ndarray]:
    import jax

    function = to_jax(expression)
    with jax.enable_x64(True):
        inputs = jax.numpy.asarray(x)
        given = {name: jax.numpy.asarray(value, float) for name, value in parameters.items()}
        _, slope = jax.jvp(lambda a: function(a, given), (inputs,), (jax.numpy.ones_like(inputs),))
        slope = numpy.asarray(slope)
    # The value is NumPy's, whose float64 functions are those of the C library.
    with numpy.errstate(all="ignore"):
        value = interpret(expression, x, arrays=NUMPY, parameters=parameters)
    return numpy.broadcast_to(numpy.asarray(value, float), x.shape), slope


def _spread(
    expression: Expression, x: numpy.ndarray, parameters: Mapping[str, Any]
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """How far samples of value and slope lie from the exact ones."""
    slope = fold(derivative(guard_branches(expression)))
    random = numpy.random.default_rng(_SEED)
    exact = _Walk(x, parameters)
    spreads = [numpy.zeros(x.shape), numpy.zeros(x.shape)]
    with numpy.errstate(all="ignore"):
        for index in range(_SAMPLES):
            sample = _Walk(x, parameters, random, flushes=index % 2 == 0)
            for spread, part in zip(spreads, (fold(expression), slope), strict=True):
                distance = numpy.abs(sample.array(part) - exact.array(part))
                numpy.maximum(spread, distance, out=spread)
            spreads[1][~sample.can_be_differentiated(slope)] = numpy.nan
        # Errors may hide how small a divisor really is.
        spreads[1][~exact.can_be_differentiated(slope)] = numpy.nan
    # Without a value there is no slope, whatever the rules of differentiation say.
    spreads[1][~numpy.isfinite(spreads[0])] = numpy.nan
    return spreads[0], spreads[1]


class _Walk:
    """One evaluation in float64, every subexpression once; with a generator, as float32 may err.

    A narrow one has float32's range, with float64's digits.
    """

    def __init__(
        self,
        x: numpy.ndarray,
        parameters: Mapping[str, Any],
        random: numpy.random.Generator | None = None,
        *,
        flushes: bool = False,
        is_narrow: bool = False,
    ) -> None:
        self._is_narrow = is_narrow
        self._x = _narrowed(x) if is_narrow else x
        self._parameters = parameters
        self._random = random
        self._smallest = _SMALLEST if flushes else _SMALLEST_SUBNORMAL
        self._known: dict[Expression, Any] = {}

    def array(self, expression: Expression) -> numpy.ndarray:
        """The values in the shape of the input."""
        return numpy.broadcast_to(numpy.asarray(self._value(expression), float), self._x.shape)

    def can_be_differentiated(self, slope: Expression) -> numpy.ndarray:
        """Where the rules of reverse-mode differentiation stay finite, in the shape of the input.

        The slope of max(a, b) that is not taken is multiplied by 0, that of a / b is often computed
        with b squared, and factors are multiplied in another order, so that a large one may meet
        powers of x before it meets what makes the product small.
        """
        root = math.sqrt(_SMALLEST)
        largest = _LARGEST / numpy.maximum(1.0, self._x**2)
        fine = numpy.ones(self._x.shape, bool)
        for node in uses((slope,)):
            fine &= ~(numpy.abs(self.array(node)) > largest)
            match node:
                case Call("where", (_, positive, negative)):
                    fine &= numpy.isfinite(self.array(positive))
                    fine &= numpy.isfinite(self.array(negative))
                case Call("div", (_, divisor)):
                    size = numpy.abs(self.array(divisor))
                    fine &= (size > root) & (size < 1 / root)
        return fine

    def ties(self, expression: Expression) -> numpy.ndarray:
        """Where a maximum or its kin has two equal sides, in the shape of the input."""
        tied = numpy.zeros(self._x.shape, bool)
        with numpy.errstate(all="ignore"):
            for node in uses((expression,)):
                match node:
                    case Call("abs" | "relu", (operand,)):
                        tied |= self.array(operand) == 0.0
                    case Call("max" | "min" | "clip", (first, *others)):
                        for other in others:
                            tied |= self.array(first) == self.array(other)
        return tied

    def _value(self, node: Expression) -> Any:
        if node not in self._known:
            self._known[node] = self._compute(node)
        return self._known[node]

    def _compute(self, node: Expression) -> Any:
        match node:
            case Variable():
                return self._x
            case Parameter(name):
                return self._parameters[name]
            case Constant(number):
                return number
            case Call() if (infinite := constant_value(node)) is not None:
                return infinite
            case Call(primitive, operands):
                values = [self._value(operand) for operand in operands]
                result = numpy.asarray(PRIMITIVES[primitive].define(NUMPY, *values), float)
                if primitive in ("sin", "cos", "sinc"):
                    is_lost = numpy.abs(values[0]) * _ROUNDING > _PHASE
                    result = numpy.where(is_lost, numpy.nan, result)
                return self._disturbed(result, primitive)
        raise TypeError(f"expected an Expression, got {type(node).__name__}")

    def _disturbed(self, result: numpy.ndarray, primitive: str) -> numpy.ndarray:
        if self._is_narrow:
            return _narrowed(result)
        if self._random is None:
            return result
        size = numpy.abs(result)
        if primitive in ("softplus", "log_sigmoid"):
            # Some frameworks compute log(1 + exp(a)) as it is written, with an absolute error.
            size = numpy.maximum(size, 1.0)
        elif primitive in ("sinh", "cosh", "pow"):
            # Some compute them as exp(b), and round b: XLA has sinh(a) = exp(a - log(2)) - ...
            size = size * numpy.maximum(1.0, numpy.abs(numpy.log(size)) / 2)
        moved = result + size * self._random.choice((-_ROUNDING, _ROUNDING), result.shape)
        # Some processors keep numbers below the smallest normal one, some make them 0.
        moved = numpy.where(numpy.abs(result) < self._smallest, 0.0, moved)
        # A negative power is the reciprocal of one that must not be 0.
        largest = 1 / _SMALLEST if primitive == "pow" else _LARGEST
        return numpy.where(numpy.abs(moved) > largest, moved * numpy.inf, moved)


def _narrowed(numbers: numpy.ndarray) -> numpy.ndarray:
    size = numpy.abs(numbers)
    held = numpy.where(size < _SMALLEST, numpy.copysign(0.0, numbers), numbers)
    return numpy.where(size > _LARGEST, numpy.copysign(numpy.inf, numbers), held)
