"""Compares the numbers that an exported file computes with the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Final

import ml_dtypes
import numpy

from grammars.algebra.guards import is_held
from grammars.export.function import Function
from grammars.export.reference import Reference, points, reference
from grammars.export.special import Answers, Special, special


@dataclass(frozen=True)
class Precision:
    """What a precision can be asked for.

    Attributes:
        tolerance: Of |difference| / (1 + |reference|).
        largest: The largest number that it holds.
        inputs: The type whose numbers are tried; coarser types leave the other points out.
    """

    tolerance: float
    largest: float
    inputs: Any


# float32 holds 7 digits; a handful of operations leaves 5. bfloat16 and float16 hold 2 and 3: 8 and
# 11 bits, of which a framework's own function, computed so throughout, loses up to 3. What computes
# exactly still starts from parameters in float32.
PRECISIONS: Final[Mapping[str, Precision]] = {
    "exact": Precision(1e-5, float(numpy.finfo(numpy.float32).max), numpy.float32),
    "float32": Precision(1e-5, float(numpy.finfo(numpy.float32).max), numpy.float32),
    "bfloat16": Precision(4e-2, 3.3895313892515355e38, ml_dtypes.bfloat16),
    "float16": Precision(5e-3, float(numpy.finfo(numpy.float16).max), numpy.float16),
}

# An operation's error may be larger than sampled, and samples are few.
_SPREAD_ALLOWANCE: Final = 4.0

# Computing with many digits is slow, and has no rounding that many points would find.
_EVERY_FOR_EXACT: Final = 9

# SymPy rounds products of constants to 17 digits. Where the terms of a slope cancel, as in that of
# sin(a x) / (a x) close to 0, what is left of that is divided by powers of x.
_SMALLEST_FOR_EXACT: Final = 1e-6


@dataclass(frozen=True)
class Check:
    """How one quantity agreed in one mode and precision.

    Attributes:
        mode: How the file was run, such as `eager` or `compiled`.
        precision: Of the input and the output, such as `float32`.
        quantity: `value` or `slope`.
        points: How many inputs there were.
        compared: At how many the reference is finite and float32 can hold every intermediate.
        widened: At how many of those float32's own rounding can cost more than the tolerance, so
            that the tolerance is that cost.
        error: The largest |difference| / (1 + |reference|) where the tolerance was not widened.
        worst: The first input at which the difference is too large, None where there is none.
        special: At how many of NaN, the infinities and the numbers below the smallest normal one
            the result was held to `Special`.
        worst_special: The first of those at which it is wrong, in words, "" where there is none.
    """

    mode: str
    precision: str
    quantity: str
    points: int
    compared: int
    widened: int
    error: float
    worst: float | None = None
    special: int = 0
    worst_special: str = ""

    @property
    def where(self) -> str:
        """The first input at which the result is wrong, "" where it is right everywhere."""
        return self.worst_special if self.worst is None else repr(self.worst)

    @property
    def passed(self) -> bool:
        """Whether every compared point agreed."""
        return not self.where


@dataclass(frozen=True)
class Trial:
    """The inputs that a function is tried on, and what has to come out.

    Attributes:
        x: float32 numbers, in a second axis repeated for each channel where channels differ.
        expected: In the shape of `x`.
        is_guarded: Where a guard, such as that against overflow, changes the function.
        special: The special inputs, which come after the others; None where there are none.
    """

    x: numpy.ndarray
    expected: Reference
    is_guarded: numpy.ndarray
    special: Special | None = None

    @property
    def inputs(self) -> numpy.ndarray:
        """All that a file is run on, float32."""
        return self.x if self.special is None else numpy.concatenate([self.x, self.special.x])

    @classmethod
    def of(cls, function: Function) -> Trial:
        """Computes the reference with the parameters in float32, as the frameworks keep them."""
        channels = function.channels
        x = points() if channels is None else numpy.repeat(points()[:, None], channels, axis=1)
        values = {
            parameter.original: numpy.asarray(parameter.value, numpy.float32).astype(float)
            for parameter in function.parameters
        }
        is_guarded = is_held(function.expression, x.astype(float), parameters=values)
        expected = reference(function.expression, x, values)
        return cls(x, expected, is_guarded, special(function, values))

    @cached_property
    def exact(self) -> Trial:
        """The part of it for what computes the mathematical function, without guards."""
        free = ~self.is_guarded if self.x.ndim == 1 else ~self.is_guarded.any(axis=1)
        size = numpy.abs(self.x) if self.x.ndim == 1 else numpy.abs(self.x[:, 0])
        free &= (size == 0) | (size >= _SMALLEST_FOR_EXACT)
        rows = numpy.flatnonzero(free)[::_EVERY_FOR_EXACT]
        arrays = {f.name: getattr(self.expected, f.name)[rows] for f in fields(self.expected)}
        return Trial(self.x[rows], replace(self.expected, **arrays), self.is_guarded[rows])


def check(key: str, *, trial: Trial, actual: numpy.ndarray, is_printed: bool = True) -> Check:
    """Compares one array with the reference.

    The policy: where the reference is not a number that the precision can hold, or float32 cannot
    hold every intermediate result, nothing is compared. Elsewhere the result must lie within the
    tolerance, or within what rounding can cost in float32 if that is more. At a kink a slope is a
    convention and is not compared.

    Args:
        key: `MODE/PRECISION/QUANTITY` of the array.
        trial: The inputs and the reference.
        actual: What came out, in the shape of the inputs.
        is_printed: Whether the file computes its slope by itself, so that no framework derives it.
    """
    actual, beyond = actual[: len(trial.x)], actual[len(trial.x) :]
    mode, name, quantity = key.split("/")
    precision, expected = PRECISIONS[name], trial.expected
    is_value = quantity == "value"
    wanted = expected.value if is_value else expected.slope
    spread = expected.value_spread if is_value else expected.slope_spread
    with numpy.errstate(all="ignore"):
        compared = numpy.isfinite(spread) & (numpy.abs(wanted) <= precision.largest)
        compared &= trial.x == trial.x.astype(precision.inputs).astype(numpy.float32)
        if not is_value:
            compared &= expected.smooth
        scale = 1.0 + numpy.abs(wanted)
        error = numpy.abs(actual - wanted) / scale
        cost = _SPREAD_ALLOWANCE * spread / scale
        is_widened = compared & (cost > precision.tolerance)
        # Asked this way round, so that a NaN is wrong.
        wrong = compared & ~(error <= numpy.maximum(precision.tolerance, cost))
    strict = error[compared & ~is_widened]
    found = Check(
        mode,
        name,
        quantity,
        points=trial.x.size,
        compared=int(compared.sum()),
        widened=int(is_widened.sum()),
        error=float(strict.max(initial=0.0)),
        worst=float(trial.x[wrong][0]) if wrong.any() else None,
    )
    if trial.special is None:
        return found
    answers = {
        "value": trial.special.value,
        "slope": trial.special.printed_slope if is_printed else trial.special.derived_slope,
    }[quantity]
    return _with_special(found, trial.special.x, answers, beyond)


def _with_special(found: Check, x: numpy.ndarray, answers: Answers, actual: numpy.ndarray) -> Check:
    precision = PRECISIONS[found.precision]
    with numpy.errstate(all="ignore"):
        held = (x == x.astype(precision.inputs).astype(numpy.float32)) | numpy.isnan(x)
        for right in answers.right:
            held &= (numpy.abs(right) <= precision.largest) | ~numpy.isfinite(right)
    wrong = held & answers.wrong(actual, precision.tolerance)
    return replace(
        found,
        special=int((held & answers.compared).sum()),
        worst_special=str(float(x[wrong][0])) if wrong.any() else "",
    )
