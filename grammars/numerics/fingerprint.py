"""Numbers that tell functions apart, so that equal functions written differently are found."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Final

import numpy

from grammars.expressions.expression import Expression
from grammars.numerics.compilation import interpret
from grammars.primitives import NUMPY

# Named points first: zero, where kinks sit and quotients break, its neighbourhood, and the tails
# where saturation shows; then irregular points on which no two usual functions agree by accident.
_NAMED_POINTS: Final = (0.0, 1e-30, -1e-30, 1e-3, -1e-3, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0)
_TAIL_POINTS: Final = (12.0, -12.0, 30.0, -30.0)
_GOLDEN: Final = (5**0.5 - 1) / 2

# Values that differ by less are equal: rounding in a tree of dozens of nodes stays far below.
_TOLERANCE: Final = 1e-9

_ASSIGNMENTS: Final = 3


def _irregular(count: int, *, low: float, high: float, offset: float) -> list[float]:
    """A low-discrepancy sequence: as even as a grid, with none of its regularity."""
    return [low + (high - low) * ((offset + k * _GOLDEN) % 1.0) for k in range(count)]


POINTS: Final = numpy.array(
    [
        *_NAMED_POINTS,
        *_TAIL_POINTS,
        *_irregular(47, low=-8.0, high=8.0, offset=0.137),
    ]
)

# Dense enough that a bump between the first points does not hide.
SECOND_POINTS: Final = numpy.array(
    [
        *_irregular(192, low=-10.0, high=10.0, offset=0.591),
        *_irregular(32, low=-1.0, high=1.0, offset=0.273),
        *_irregular(16, low=-100.0, high=100.0, offset=0.713),
        *_irregular(16, low=-1e4, high=1e4, offset=0.331),
    ]
)


def fingerprint(expression: Expression, points: numpy.ndarray = POINTS) -> numpy.ndarray:
    """The values of a function on fixed points; NaN and infinities are part of it.

    A function with trainable parameters is evaluated at three assignments of them: the first is
    where they start, the others are derived from each parameter's name, start and scope. Functions
    are equal only if they are equal whatever is learnt.

    Args:
        expression: What to evaluate.
        points: Where, shape (n,).

    Returns:
        Values in float64: shape (n,), or (3 n,) with trainable parameters.
    """
    parameters = expression.parameters
    if not parameters:
        return _values(expression, points, {})
    rows = []
    for assignment in range(_ASSIGNMENTS):
        values = {}
        for p in parameters:
            text = f"{p.name} {p.start!r} {p.per} {assignment}"
            unit = zlib.crc32(text.encode()) / 2**32
            values[p.name] = p.start if assignment == 0 else 0.2 + 1.7 * unit
        rows.append(_values(expression, points, values))
    return numpy.concatenate(rows)


def _values(
    expression: Expression, points: numpy.ndarray, parameters: dict[str, float]
) -> numpy.ndarray:
    with numpy.errstate(all="ignore"):
        values = interpret(expression, points, arrays=NUMPY, parameters=parameters)
        return numpy.broadcast_to(numpy.asarray(values, dtype=numpy.float64), points.shape)


def agree(first: numpy.ndarray, second: numpy.ndarray) -> bool:
    """Whether two fingerprints are those of one function, up to rounding."""
    if first.shape != second.shape:
        return False
    finite = numpy.isfinite(first)
    if not numpy.array_equal(finite, numpy.isfinite(second)):
        return False
    if not numpy.array_equal(first[~finite], second[~finite], equal_nan=True):
        return False
    first, second = first[finite], second[finite]
    size = numpy.maximum(numpy.abs(first), numpy.abs(second))
    return bool((numpy.abs(first - second) <= _TOLERANCE * (1.0 + size)).all())


def same_function(first: Expression, second: Expression) -> bool:
    """Whether two expressions agree on the points of the fingerprint and on further ones."""
    return agree(fingerprint(first), fingerprint(second)) and _agree_elsewhere(first, second)


def _agree_elsewhere(first: Expression, second: Expression) -> bool:
    return agree(fingerprint(first, SECOND_POINTS), fingerprint(second, SECOND_POINTS))


@dataclass
class FunctionIndex:
    """Distinct functions, each under a key of the caller's, found by what they compute.

    Equal functions differ by rounding, so that a hash of rounded values would miss those that
    straddle a boundary. Instead a weighted mean of the squashed values is kept sorted: equal
    functions are neighbours there. Neighbours are compared in full, then on other points.
    """

    _projections: list[float] = field(default_factory=list)
    _entries: list[tuple[str, Expression, numpy.ndarray]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, expression: Expression) -> str | None:
        """The key of an equal function, or None."""
        return self._find(expression, fingerprint(expression))

    def add(self, key: str, expression: Expression) -> None:
        """Adds a function; `find` first, to keep them distinct."""
        self._insert(key, expression, fingerprint(expression))

    def find_or_add(self, key: str, expression: Expression) -> str:
        """The key of an equal function, or `key` under which this one is added."""
        values = fingerprint(expression)
        found = self._find(expression, values)
        if found is None:
            self._insert(key, expression, values)
        return key if found is None else found

    def _insert(self, key: str, expression: Expression, values: numpy.ndarray) -> None:
        projection = _projection(values)
        place = bisect_left(self._projections, projection)
        self._projections.insert(place, projection)
        self._entries.insert(place, (key, expression, values))

    def _find(self, expression: Expression, values: numpy.ndarray) -> str | None:
        projection = _projection(values)
        # Squashed values differ by at most the tolerance, and so does their weighted mean.
        first = bisect_left(self._projections, projection - 2 * _TOLERANCE)
        last = bisect_right(self._projections, projection + 2 * _TOLERANCE)
        for key, other, other_values in self._entries[first:last]:
            if agree(values, other_values) and _agree_elsewhere(expression, other):
                return key
        return None


def _weights(count: int) -> numpy.ndarray:
    weights = numpy.array(_irregular(count, low=0.1, high=1.0, offset=0.417))
    normalised: numpy.ndarray = weights / weights.sum()
    return normalised


_WEIGHTS: Final = {count: _weights(count) for count in (POINTS.size, _ASSIGNMENTS * POINTS.size)}


def _projection(values: numpy.ndarray) -> float:
    """One number for a fingerprint; close for fingerprints that agree."""
    with numpy.errstate(all="ignore"):
        squashed = values / (1.0 + numpy.abs(values))
    # Infinities and NaN have places of their own, apart from all squashed values.
    squashed = numpy.where(numpy.isfinite(values), squashed, 2.0)
    squashed = numpy.where(numpy.isnan(values), 3.0, squashed)
    return float(squashed @ _WEIGHTS[values.size])
