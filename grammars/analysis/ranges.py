"""Between which values a function and its derivative lie, as far as that is certain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy

from grammars.analysis.limits import Far, far
from grammars.analysis.singularities import blow_ups, bounds, breaks, singularities
from grammars.expressions.expression import Expression
from grammars.expressions.intervals import Interval
from grammars.numerics.compilation import evaluate

# Beyond this a guarded exponential is meant to be infinite.
_INFINITE: Final = 1e30

# An extremum is narrowed down to two of so many parts in each round, to the last digits of a value.
_PARTS: Final = 33
_ROUNDS: Final = 7


@dataclass(frozen=True)
class Extent:
    """Where the values of a function lie.

    Attributes:
        low: The greatest lower bound, infinite where there is none; None where it is not known.
        high: The least upper bound, likewise.
        left: What the function comes to on the left.
        right: What it comes to on the right.
        has_breaks: Whether it is known to have no finite value at some x between others.
        knows_all: Whether all its singularities are known.
        is_finite: Whether it is known to go to infinity at no x.
    """

    low: float | None
    high: float | None
    left: Far
    right: Far
    has_breaks: bool
    knows_all: bool
    is_finite: bool

    @property
    def size(self) -> float | None:
        """The greatest absolute value, infinite where there is none; None if it is not known."""
        ends = [end for end in (self.low, self.high) if end is not None]
        if any(map(math.isinf, ends)):
            return math.inf
        return max(map(abs, ends)) if len(ends) == 2 else None


def value_range(expression: Expression, points: numpy.ndarray, values: numpy.ndarray) -> Extent:
    """The range of a function.

    Args:
        expression: The function, parameters at their start values.
        points: Along the line, in order.
        values: What it was seen to be there, NaN where it has no value.
    """
    return _extent(expression, points, values, singularities(expression).domain)


def slope_range(
    expression: Expression, slope: Expression, points: numpy.ndarray, slopes: numpy.ndarray
) -> Extent:
    """The range of the derivative of a function, where the function has a value.

    Args:
        expression: The function.
        slope: Its derivative without the guards, which would end every exponential.
        points: Along the line, in order.
        slopes: What the derivative was seen to be there.
    """
    return _extent(slope, points, slopes, singularities(expression).domain)


def _greatest(
    expression: Expression, sign: int, points: numpy.ndarray, seen: numpy.ndarray
) -> float:
    """The greatest value of a function, or of its negation, near the greatest that was seen.

    Far from 0 the line has few points, and an extremum is between them.
    """
    best = int(numpy.nanargmax(sign * seen))
    greatest = float(sign * seen[best])
    for _ in range(_ROUNDS if math.isfinite(greatest) else 0):
        low, high = points[max(best - 1, 0)], points[min(best + 1, len(points) - 1)]
        points = numpy.linspace(low, high, _PARTS)
        values = sign * evaluate(expression, points)
        if numpy.isnan(values).all():
            break
        best = int(numpy.nanargmax(values))
        greatest = max(greatest, float(values[best]))
    return greatest


def _extent(
    expression: Expression, points: numpy.ndarray, seen: numpy.ndarray, domain: Interval
) -> Extent:
    known = seen[~numpy.isnan(seen)]
    if not known.size:
        nothing = Far(None)
        return Extent(
            math.nan, math.nan, nothing, nothing, has_breaks=False, knows_all=True, is_finite=True
        )
    sides = [far(expression, side) for side in (-1, 1)]
    found = singularities(expression)
    infinities = blow_ups(expression, found, domain=domain)
    ends = [sign * _greatest(expression, sign, points, seen) for sign in (-1, 1)]
    ends = [math.copysign(math.inf, end) if abs(end) > _INFINITE else end for end in ends]
    candidates = [*ends, *(end for signs in infinities.values() for end in signs)]
    candidates += [side.limit for side in sides if side.limit is not None]
    outer = bounds(expression, domain=domain)
    is_reached = [domain[0] == -math.inf, domain[1] == math.inf]
    is_settled = [
        (not reached) or side.is_bounded or (side.limit is not None)
        for reached, side in zip(is_reached, sides, strict=True)
    ]
    is_certain = found.are_all and all(is_settled)
    low, high = min(candidates), max(candidates)
    return Extent(
        low if is_certain or low == -math.inf or outer[0] > -math.inf else None,
        high if is_certain or high == math.inf or outer[1] < math.inf else None,
        left=sides[0],
        right=sides[1],
        has_breaks=any(domain[0] < place < domain[1] for place in infinities)
        or breaks(expression, found),
        knows_all=found.are_all,
        is_finite=found.are_all and not infinities,
    )
