"""Whether a function bends only upwards or only downwards."""

from __future__ import annotations

import math
from typing import Final

import numpy

from grammars.analysis.evidence import Evidence
from grammars.analysis.limits import Far
from grammars.analysis.ranges import Extent
from grammars.analysis.switching import GRID, LINE

# Within this an infinite value is a pole, beyond it may be an overflow.
_NEAR: Final = 20.0
# Second differences of values on steps of 1/100 see the least bend; slopes see the tails, and past
# what a guard hides.
_TAIL_POINTS: Final = (LINE.size - GRID.size) // 2
_INNER: Final = slice(_TAIL_POINTS, -_TAIL_POINTS, 10)
_COARSE: Final = (numpy.abs(LINE) >= GRID[-1]) | (numpy.arange(LINE.size) % 100 == 0)
_ROUNDING: Final = 1e-10


def convexity(seen: Evidence, extent: Extent, slopes: Extent, *, jumps: bool) -> str:
    """In a word.

    Args:
        seen: The function on the line.
        extent: Of its values.
        slopes: Of its derivative.
        jumps: Whether its value jumps anywhere.
    """
    if _is_undefined(seen, extent):
        return "undefined somewhere"
    if jumps:
        return "neither"
    answers = [_bends(seen), _turns(seen, extent, slopes)]
    convex, concave = (all(each) for each in zip(*answers, strict=True))
    return {
        (True, True): "affine",
        (True, False): "convex",
        (False, True): "concave",
        (False, False): "neither",
    }[convex, concave]


def _is_undefined(seen: Evidence, extent: Extent) -> bool:
    near = seen.values[numpy.abs(seen.points) <= _NEAR]
    left, right = seen.values[seen.points < -_NEAR][::-1], seen.values[seen.points > _NEAR]
    return not numpy.isfinite(near).all() or any(
        # Where there is a limit, it is the arithmetic that ends: 0 / exp(-x) is 0 / 0 there.
        numpy.isnan(tail).any() and not (numpy.isnan(tail[-1]) and far.limit is not None)
        for tail, far in ((left, extent.left), (right, extent.right))
    )


def _bends(seen: Evidence) -> tuple[bool, bool]:
    """Whether values on the even grid bend nowhere down, and nowhere up."""
    values = seen.values[seen.on_line][_INNER]
    held = seen.is_held[seen.on_line][_INNER]
    is_free = ~(held[:-2] | held[1:-1] | held[2:])
    bends = (values[:-2] - 2 * values[1:-1] + values[2:])[is_free]
    size = numpy.maximum(numpy.abs(values[:-2]), numpy.abs(values[2:]))[is_free]
    tolerance = 1e-14 * (1 + size) * 4
    return bool((bends >= -tolerance).all()), bool((bends <= tolerance).all())


def _turns(seen: Evidence, extent: Extent, slopes: Extent) -> tuple[bool, bool]:
    """Whether the slope falls nowhere, and rises nowhere, up to what it comes to far from 0."""
    is_chosen = ~seen.on_line
    is_chosen[seen.on_line] = _COARSE
    # Where pieces meet, the slope is that of either.
    is_chosen &= ~seen.is_held & numpy.isfinite(seen.slopes) & ~numpy.isin(seen.points, seen.places)
    first = _end_slope(extent.left, slopes.left)
    last = _end_slope(extent.right, slopes.right)
    along = numpy.concatenate([first, seen.slopes[is_chosen], last])
    steps = numpy.diff(along)
    tolerance = _ROUNDING * (1 + numpy.minimum(numpy.abs(along[:-1]), numpy.abs(along[1:])))
    return bool((steps >= -tolerance).all()), bool((steps <= tolerance).all())


def _end_slope(value: Far, slope: Far) -> list[float]:
    """What a slope that only rises or only falls must come to, as far as that is known."""
    if value.limit is not None and math.isfinite(value.limit):
        return [0.0]
    return [] if slope.limit is None else [slope.limit]
