"""The one form in which a function is shown to people, its constants as short as they are exact."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy

from grammars.algebra.layered import (
    Activation,
    assign,
    canonical_form,
    functions_of,
    parse_activation,
)
from grammars.algebra.sums import multiplied
from grammars.expressions.expression import Call, Constant, Expression, format_number
from grammars.numerics.compilation import evaluate
from grammars.parsing.parser import ParseError

# Folding rounds a few times; a number that is as near as this to a short one was that before.
_LAST_PLACES: Final = 4
# Where candidates are trained, and far beyond; what differs by so much is another function.
_POINTS: Final = numpy.array(
    [s * x for s in (-1, 1) for x in (0.1, 1, 3, 10, 20, 30, 45, 60, 80, 100, 1e3, 1e4, 1e5, 1e6)],
    numpy.float32,
)
_SEEN: Final = 1e-2
# From here on a short number is no longer rare among all those that are so near.
_MOST_DIGITS: Final = 12
# Only these may become shorter: long numbers, and divisors below 1.
_LONG: Final = re.compile(r"\d[\d.]{14,}")
_TO_SHORTEN: Final = re.compile(rf"{_LONG.pattern}|/ -?0\.")


def readable(activation: Activation) -> str:
    """The text in which reports, tables and files name a function.

    It can be read back as the same function: constants that folding computed are replaced only by
    numbers within its rounding, and by none that single precision, in which candidates are
    trained, could tell from them. Numbers that the expression was written with stay, and so does
    the expression where its canonical form overflows in single precision and it does not. The id
    belongs to the canonical form itself, which this is not where a constant became shorter.

    Args:
        activation: As it was written.
    """
    written, forms = functions_of(activation), functions_of(canonical_form(activation))
    if not all(map(_stands_for, forms, written)):
        return str(activation)
    return str(assign(with_short_constants(forms, written=written)))


def shortened(form: str, *, written: str | None = None) -> str:
    """The text of a canonical form with the constants that folding made as short as they are exact.

    Where the expression itself is at hand, `readable` says the same. A canonical form may be larger
    than what the parser takes, and stays as it is then.

    Args:
        form: The canonical form, as a journal holds it.
        written: The expression that it is the form of; none of its constants count as written if
            it is left out.
    """
    is_quotient = written is not None and "/" in form
    if not is_quotient and not _TO_SHORTEN.search(form):
        return form
    try:
        forms, functions = (functions_of(parse_activation(text)) for text in (form, written or "x"))
    except ParseError:
        return form
    if written is not None and not all(map(_stands_for, forms, functions)):
        return written
    return str(assign(with_short_constants(forms, written=functions)))


def _stands_for(form: Expression, written: Expression) -> bool:
    """Whether a canonical form can be computed in single precision wherever the function can.

    It has one quotient where a product or a power of quotients may have been written, whose
    dividend and divisor overflow before they do.
    """
    if "/" not in str(form):
        return True
    values, given = evaluate(form, _POINTS), evaluate(written, _POINTS)
    has_value = numpy.isfinite(given)
    with numpy.errstate(invalid="ignore", over="ignore"):
        differences = numpy.abs(values - given) / (1.0 + numpy.abs(given))
    return bool((differences[has_value] < _SEEN).all())


def with_short_constants(
    forms: Sequence[Expression], *, written: Sequence[Expression]
) -> Sequence[Expression]:
    """Canonical forms with the constants that folding made as short as they are exact.

    Args:
        forms: Of the functions for layers, or of a single one.
        written: The expressions that they are the forms of.
    """
    if not any(_TO_SHORTEN.search(str(form)) for form in forms):
        return forms
    shortening = _Shortening(tuple(n for function in written for n in _numbers(function)))
    return [shortening.expression(form) for form in forms]


def _numbers(expression: Expression) -> Iterator[tuple[float, Expression]]:
    """The values that an expression was written with, plain ones first, and how."""
    calls = []
    for node in dict.fromkeys(expression.walk()):
        if isinstance(node, Constant):
            yield abs(node.value), Constant(abs(node.value))
        elif isinstance(node, Call) and not node.uses_input and not node.parameters:
            calls.append((float(evaluate(node, numpy.zeros(()))), node))
    yield from ((value, node) for value, node in calls if math.isfinite(value) and value > 0)


@dataclass(frozen=True)
class _Shortening:
    """How the constants of one function become shorter.

    Attributes:
        written: The values that it was written with, and how, such as sqrt(2).
    """

    written: tuple[tuple[float, Expression], ...]

    def expression(self, node: Expression) -> Expression:
        """The expression with shorter constants."""
        match node:
            case Constant(value):
                return self._number(value)
            case Call("mul", (Constant(value), factor)):
                return self._product(value, self.expression(factor))
            case Call("div", (dividend, Constant(value))) if _has_inverse(value):
                return self._quotient(self.expression(dividend), value)
            case Call(primitive, operands):
                return Call(primitive, tuple(map(self.expression, operands)))
            case _:
                return node

    def _product(self, value: float, factor: Expression) -> Expression:
        number = self._number(value)
        is_ours = _LONG.search(str(number)) and self._as_written(value) is None
        if is_ours and _has_inverse(value):
            divisor = self._number(1.0 / value)
            if len(str(divisor)) < len(str(number)):
                return Call("div", (factor, divisor))
        match number:
            case Constant(1.0):
                return factor
            case Constant():
                return multiplied(number, factor)
            case _:
                return Call("mul", (number, factor))

    def _quotient(self, dividend: Expression, value: float) -> Expression:
        divisor, number = self._number(value), self._number(1.0 / value)
        is_own = self._as_written(1.0 / value) is not None and self._as_written(value) is None
        if isinstance(number, Constant) and (is_own or len(str(number)) < len(str(divisor))):
            return multiplied(number, dividend)
        return Call("div", (dividend, divisor))

    def _number(self, value: float) -> Expression:
        """A number as it was written, as a short one, or else as a call that it was written as."""
        if not _LONG.search(format_number(value)):
            return Constant(value)
        if (plain := self._as_written(value)) is not None:
            return plain
        if (short := _nearest_short(value)) is not None:
            return Constant(short)
        near = [node for size, node in self.written if _is_near(abs(value), size)]
        shortest = min(near, key=lambda node: len(str(node)), default=Constant(value))
        if len(str(shortest)) >= len(format_number(value)):
            return Constant(value)
        return shortest if value > 0 else Call("neg", (shortest,))

    def _as_written(self, value: float) -> Constant | None:
        """The plain number among those that the function was written with."""
        for size, node in self.written:
            if isinstance(node, Constant) and _is_near(abs(value), size):
                return Constant(math.copysign(size, value))
        return None


def _nearest_short(value: float) -> float | None:
    """The number of fewest digits within the rounding of folding, None if it needs them all."""
    rounded = (float(f"{value:.{digits}g}") for digits in range(1, _MOST_DIGITS + 1))
    return next((short for short in rounded if _is_near(value, short)), None)


def _is_near(value: float, other: float) -> bool:
    """Whether folding alone may have made the difference, and single precision makes none."""
    is_near = abs(other - value) <= _LAST_PLACES * math.ulp(value)
    with numpy.errstate(over="ignore"):
        return is_near and bool(numpy.float32(other) == numpy.float32(value))


def _has_inverse(value: float) -> bool:
    return value != 0 and math.isfinite(1.0 / value)
