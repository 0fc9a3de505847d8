"""Evaluates many expressions on the same points, each distinct subtree of them once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy

from grammars.expressions.expression import (
    Call,
    Constant,
    Expression,
    Parameter,
    Variable,
    substitute,
)
from grammars.primitives import NUMPY, PRIMITIVES

# Subtrees whose values are kept: 11 kB each on the 1,400 points that searches look at.
KEPT_SUBTREES: Final = 4096


class CachedEvaluation:
    """Reference values in float64 or float32, as `grammars.evaluate` computes them.

    A bred function differs from its parents in one subtree and what stands above it; everything
    else was evaluated before. Subtrees are told apart by numbers, given to each distinct pair of a
    primitive and the numbers of its operands (hash consing; Ershov, On Programming of Arithmetic
    Operations, 1958), so that looking one up takes the same time however large it is.
    """

    def __init__(self, points: numpy.ndarray, *, kept: int = KEPT_SUBTREES) -> None:
        """Nothing is evaluated yet.

        Args:
            points: Where, shape (points,); they decide the precision.
            kept: Subtrees whose values are kept. When there are more, all are forgotten.
        """
        self._points, self._kept = points, kept
        self._numbers: dict[Any, int] = {}
        self._values: list[Any] = []

    def __call__(self, expressions: Sequence[Expression]) -> numpy.ndarray:
        """Values of each expression, parameters at their start values.

        Returns:
            Shape (expressions, points); NaN or an infinity where mathematics has no value.
        """
        rows = numpy.empty((len(expressions), len(self._points)), self._points.dtype)
        with numpy.errstate(all="ignore"):
            for row, expression in zip(rows, expressions, strict=True):
                if len(self._values) > self._kept:
                    self._numbers.clear()
                    self._values.clear()
                row[:] = self._values[self._number(expression)]
        return rows

    def _number(self, expression: Expression) -> int:
        """The number of a subtree, whose value is known from then on."""
        match expression:
            case Call(definition=Expression() as definition, operands=(operand,)):
                return self._number(substitute(definition, operand))
            case Call(primitive, operands):
                key: Any = (primitive, *map(self._number, operands))
            case Constant(value) | Parameter(_, value):
                key = repr(value)  # 0 and -0 are equal as numbers
            case _:
                key = Variable
        number = self._numbers.get(key)
        if number is None:
            value = self._value(expression, key)
            number = self._numbers[key] = len(self._values)
            self._values.append(value)
        return number

    def _value(self, expression: Expression, key: Any) -> Any:
        match expression:
            case Call(primitive, _):
                operands = [self._values[number] for number in key[1:]]
                value = PRIMITIVES[primitive].define(NUMPY, *operands)
                # As in `interpret`: plain floats stay plain, so that float32 stays float32.
                is_plain = all(type(operand) is float for operand in operands)
                return value.item() if is_plain and isinstance(value, numpy.generic) else value
            case Constant(value) | Parameter(_, value):
                return value
            case _:
                return self._points
