"""Where a function goes from one piece to another: places, kinks and jumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy

from grammars.analysis.singularities import line
from grammars.expressions.expression import Call, Expression
from grammars.numerics.compilation import evaluate

# Where evidence is gathered: an even grid that names 0, and the tails by powers of ten.
REACH: Final = 10.0
GRID: Final = numpy.arange(-10_000, 10_001) / 1000.0
_TAIL: Final = numpy.geomspace(REACH, 1e4, 400)
LINE: Final = numpy.concatenate([-_TAIL[::-1], GRID, _TAIL])
_IS_WITHIN: Final = numpy.abs(LINE) <= REACH

# The root of a straight switch is known wherever it is; beyond this no step beside it is both small
# for the function and large for its rounding.
_FARTHEST: Final = 1e9
_ZERO: Final = 1e-15
_LONGEST_TOUCH: Final = 20
_MOST: Final = 20

# Each round narrows an interval down to one of so many parts: the widest, of 174, to 1e-12.
_PARTS: Final = numpy.arange(65) / 64.0
_ROUNDS: Final = 8

_STEP: Final = 1e-6
_RELATIVE_STEP: Final = 1e-12
_KINK: Final = 1e-4
# What a curve changes by between two sides shrinks with their distance, a kink does not.
_NEARER: Final = 1 / 8


def switching_places(form: Expression) -> tuple[float, ...]:
    """Where a piecewise primitive may go from one piece to another.

    Args:
        form: A function in canonical form.

    Returns:
        Within the reach of the grid in order; then those beyond, the nearest first.
    """
    places = {place for switch in dict.fromkeys(_switches(form)) for place in _roots(switch)}
    within = sorted(place for place in places if abs(place) <= REACH)
    return (*within, *sorted((p for p in places if abs(p) > REACH), key=lambda p: (abs(p), p)))


def kinks_and_jumps(
    expression: Expression, slope: Expression, places: tuple[float, ...]
) -> tuple[list[float], list[float]]:
    """At which of some places the slope jumps, and at which the value does, in order."""
    if not places:
        return [], []
    at = numpy.array(places)
    steps = step_beside(at)
    sides = numpy.array([-1.0, -_NEARER, _NEARER, 1.0])[:, None] * steps + at
    values, slopes = evaluate(expression, sides), evaluate(slope, sides)
    with numpy.errstate(invalid="ignore"):
        steepest = numpy.maximum(numpy.abs(slopes).max(axis=0), 1.0)
        jumps = _stays(values) > 10 * steps * steepest + _KINK * 0.1
        kinks = ~jumps & (_stays(slopes) > _KINK)
    return _first(at[kinks]), _first(at[jumps])


def _stays(at_sides: numpy.ndarray) -> numpy.ndarray:
    """By how much two sides differ, 0 where that is less the nearer they are."""
    further = numpy.abs(at_sides[3] - at_sides[0])
    nearer = numpy.abs(at_sides[2] - at_sides[1])
    return numpy.where(nearer < further / 2, 0.0, further)


def step_beside(places: numpy.ndarray) -> numpy.ndarray:
    """How far from a place its two sides are looked at."""
    steps: numpy.ndarray = numpy.maximum(_STEP, numpy.abs(places) * _RELATIVE_STEP)
    return steps


def _first(places: numpy.ndarray) -> list[float]:
    return sorted(map(float, places[:_MOST]))


def _switches(form: Expression) -> Iterator[Expression]:
    """The expressions whose sign decides which piece is taken."""
    for node in form.walk():
        match node:
            case Call("abs" | "relu" | "sqrt", (operand,)):
                yield operand
            case Call("where", (condition, _, _)):
                yield condition
            case Call("max" | "min", (left, right)):
                yield Call("sub", (left, right))
            case Call("clip", (operand, low, high)):
                yield Call("sub", (operand, low))
                yield Call("sub", (operand, high))


def _roots(switch: Expression) -> list[float]:
    """Where a switch changes its sign or touches zero."""
    straight = line(switch)
    if straight is None:
        roots = _seen_roots(switch)
    else:
        slope, start = straight
        roots = numpy.array([-start / slope])
        roots = roots[numpy.abs(roots) <= _FARTHEST]
    return [round(float(root), 9) + 0.0 for root in roots]


def _seen_roots(switch: Expression) -> numpy.ndarray:
    values = evaluate(switch, LINE)
    is_zero = numpy.abs(values) <= _ZERO
    # Far from 0 what only comes close to zero underflows, and has a sign no longer.
    signs = numpy.where(is_zero & ~_IS_WITHIN, 0.0, numpy.sign(values))
    crossings = numpy.flatnonzero(signs[:-1] * signs[1:] < 0)
    touches = _touches(is_zero & _IS_WITHIN)
    return numpy.concatenate([LINE[touches], _crossed(switch, _nearest(crossings))])


def _touches(is_zero: numpy.ndarray) -> numpy.ndarray:
    """Points at which a switch is zero; where it is so for long, another switch sees the ends."""
    edges = numpy.diff(is_zero.astype(numpy.int8), prepend=0, append=0)
    starts, stops = numpy.flatnonzero(edges > 0), numpy.flatnonzero(edges < 0)
    is_short = stops - starts <= _LONGEST_TOUCH
    runs = [numpy.arange(a, b) for a, b in zip(starts[is_short], stops[is_short], strict=True)]
    return numpy.concatenate([*runs, starts[:0]])


def _nearest(intervals: numpy.ndarray) -> numpy.ndarray:
    """The first few within the reach of the grid, and the nearest few beyond."""
    sizes = numpy.abs(LINE[intervals])
    within, beyond = intervals[sizes < REACH], intervals[sizes >= REACH]
    order = numpy.argsort(numpy.abs(LINE[beyond]), kind="stable")
    return numpy.concatenate([within[: 4 * _MOST], beyond[order][: 4 * _MOST]])


def _crossed(switch: Expression, intervals: numpy.ndarray) -> numpy.ndarray:
    """Where in each interval, known by its left end, a switch changes its sign."""
    low, high = LINE[intervals], LINE[intervals + 1]
    signs = numpy.sign(evaluate(switch, low))[:, None]
    rows = numpy.arange(intervals.size)
    for _ in range(_ROUNDS if intervals.size else 0):
        points = low[:, None] + (high - low)[:, None] * _PARTS
        goes_on = numpy.sign(evaluate(switch, points[:, 1:])) == signs
        goes_on[:, -1] = False
        part = goes_on.argmin(axis=1)
        low, high = points[rows, part], points[rows, part + 1]
    places: numpy.ndarray = (low + high) / 2
    return places
