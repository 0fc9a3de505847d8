"""Which published functions a function is, or is related to by scaling and shifting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations
from typing import Final, TypeAlias

import numpy

from grammars.algebra.guards import is_held
from grammars.analysis.limits import growth
from grammars.catalogue import CATALOGUE, definitions
from grammars.expressions.expression import Expression, expanded
from grammars.expressions.parameters import rename_parameters
from grammars.numerics.compilation import evaluate
from grammars.numerics.fingerprint import same_function

_POINTS: Final = numpy.linspace(-6.0, 6.0, 121)
# Dense where functions bend, and far to both sides: a relation holds everywhere or not at all.
_TAIL: Final = numpy.geomspace(10.3, 1.7e6, 160)
_CHECK_POINTS: Final = numpy.concatenate([-_TAIL[::-1], numpy.linspace(-9.7, 9.9, 393), _TAIL])
_TOLERANCE: Final = 1e-7

# Where the search for b and c starts; the simplest first, since ReLU fits with any b > 0.
_STARTS: Final = tuple(
    (scale, shift)
    for shift in (0.0, 1.0, -1.0, 2.5, -2.5)
    for scale in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
)
Sides: TypeAlias = tuple[tuple[float, ...] | None, tuple[float, ...] | None]
"""How a function grows to the left and to the right."""
_Numbers: TypeAlias = tuple[float, float, float, float]
"""a, b, c and d of a relation; see `Relative`."""

_SCALES: Final = (0.05, 20.0)

# What the best starts leave over, as a share of the deviation, to be worth following.
_PROMISING: Final = 0.6
_FOLLOWED: Final = 2

# To how many digits b and c, and then a and d, are tried, so that a relation is written shortly:
# `x * sigmoid(1.8 * x)` is a swish of 1.8 x, times 1 / 1.8, which no few digits write.
_DIGITS: Final = ((3, 3), (3, 12), (6, 6), (6, 12), (12, 12))

# Far enough to tell frequencies apart to 0.03, and the share of its power that a wave has there.
_WAVE_POINTS: Final = numpy.linspace(-120.0, 120.0, 8192)
_PURE: Final = 0.95
_UNROUNDED: Final = ((16, 16),)

# What a fit leaves over after its first steps, as a share of the values, to be finished.
_CLOSE: Final = 1e-3


@dataclass(frozen=True)
class Relative:
    """A published function f with `a * f(b * x + c) + d` equal to the function in question."""

    name: str
    a: float
    b: float
    c: float
    d: float

    @property
    def formula(self) -> str:
        """The relation as it is written."""
        scaled = {1.0: "x", -1.0: "-x"}.get(self.b, f"{self.b:.9g} * x")
        called = f"{self.name}({scaled}{_signed(self.c)})"
        scaled_call = {1.0: called, -1.0: f"-{called}"}.get(self.a, f"{self.a:.9g} * {called}")
        return f"{scaled_call}{_signed(self.d)}"


def _signed(number: float) -> str:
    return "" if number == 0 else f" {'-' if number < 0 else '+'} {abs(number):.9g}"


def known_as(expression: Expression) -> tuple[str, ...]:
    """The names of the equal functions in the catalogue, whatever their parameters are called."""
    return tuple(entry.name for entry in CATALOGUE.values() if _is_equal(expression, entry.name))


def _is_equal(expression: Expression, name: str) -> bool:
    published = definitions()[name]
    own, others = expression.parameters, published.parameters
    if not own and not others:
        return same_function(expression, published)
    if len(own) != len(others) or len(own) > 4:
        return False
    # Every way of pairing the parameters, under common names, starts and scopes.
    return any(
        same_function(_paired(expression, order), _paired(published, range(len(others))))
        for order in permutations(range(len(own)))
    )


def _paired(expression: Expression, order: Sequence[int]) -> Expression:
    names = [f"p{index}" for index in order]
    return rename_parameters(expression, names, start=1.0, per="channel")


def relatives(expression: Expression) -> tuple[Relative, ...]:
    """The published functions that scaling and shifting turn into this one.

    A constant has none; the relatives of an affine function are the identity alone. Trainable
    parameters are held at their start values.
    """
    expression = expanded(expression)
    values = evaluate(expression, _POINTS)
    if not numpy.isfinite(values).all() or numpy.ptp(values) < _TOLERANCE:
        return ()
    names = ("identity",) if _is_affine(values) else _growing_alike(expression)
    found = ((name, _fitted(expression, values, definitions()[name])) for name in names)
    return tuple(Relative(name, *numbers) for name, numbers in found if numbers is not None)


def is_scaled(expression: Expression, other: Expression) -> bool:
    """Whether scaling and shifting turn the other function into this one.

    Trainable parameters are held at their start values.
    """
    expression, other = expanded(expression), expanded(other)
    values = evaluate(expression, _POINTS)
    if not numpy.isfinite(values).all() or numpy.ptp(values) < _TOLERANCE:
        return False
    if not _may_match(_sides(expression), _sides(other)):
        return False
    return _fitted(expression, values, other, digits=_UNROUNDED) is not None


def _growing_alike(expression: Expression) -> list[str]:
    """The published functions that grow like this one, or like its mirror image."""
    own = _sides(expression)
    return [name for name in _curved() if _may_match(own, _published_sides(name))]


def _may_match(own: Sides, other: Sides) -> bool:
    orders = (other, other[::-1])
    return any(
        all(a is None or b is None or a == b for a, b in zip(own, order, strict=True))
        for order in orders
    )


def _sides(expression: Expression) -> Sides:
    return growth(expression, -1), growth(expression, 1)


@cache
def _published_sides(name: str) -> Sides:
    return _sides(definitions()[name])


def nearest(expression: Expression) -> str | None:
    """The published function that is nearest in shape, `a * f(x) + d` with the best a and d."""
    values = evaluate(expression, _POINTS)
    if not numpy.isfinite(values).all():
        return None
    distances = {
        name: float(numpy.sum(_residual(values, definitions()[name], 1.0, 0.0)[2] ** 2))
        for name in ("identity", *_curved())
    }
    return min(distances, key=lambda name: distances[name])


def _is_affine(values: numpy.ndarray) -> bool:
    bends = numpy.diff(values, 2)
    return bool(numpy.abs(bends).max() <= 1e-10 * (1 + numpy.abs(values).max()))


@cache
def _curved() -> tuple[str, ...]:
    """The entries without parameters that are not affine."""
    return tuple(
        name
        for name in CATALOGUE
        if not definitions()[name].parameters
        and not _is_affine(evaluate(definitions()[name], _POINTS))
    )


@lru_cache(maxsize=256)
def _started(published: Expression) -> tuple[numpy.ndarray, ...]:
    """The values of a function at the points of every start."""
    return tuple(evaluate(published, b * _POINTS + c) for b, c in _STARTS)


def _of_waves(expression: Expression, published: Expression) -> Iterator[tuple[float, float]]:
    """Where the search for b and c starts as well, if both are waves.

    From a frequency that is half a period wrong over all points, nothing leads to the right one.
    """
    own, other = _frequency(expression), _frequency(published)
    if own is not None and other is not None:
        for eighths in (0, 1, 2, -1):
            yield own / other, eighths * math.pi / 4 / other


@lru_cache(maxsize=256)
def _frequency(expression: Expression) -> float | None:
    """In radians, of a function that is a wave but for a straight line; None of any other."""
    values = evaluate(expression, _WAVE_POINTS)
    if not numpy.isfinite(values).all():
        return None
    line = numpy.polynomial.Polynomial.fit(_WAVE_POINTS, values, 1)(_WAVE_POINTS)
    power = numpy.abs(numpy.fft.rfft((values - line) * numpy.hanning(values.size))) ** 2
    peak = int(power.argmax())
    if peak < 2 or power[peak - 2 : peak + 3].sum() <= _PURE * power.sum():
        return None
    length = float(_WAVE_POINTS[-1] - _WAVE_POINTS[0])
    return 2 * math.pi * peak / length


def _residual(
    values: numpy.ndarray, published: Expression, b: float, c: float
) -> tuple[float, float, numpy.ndarray]:
    """The best a and d for given b and c, and what they leave over."""
    return _left_over(values, evaluate(published, b * _POINTS + c))


def _left_over(values: numpy.ndarray, base: numpy.ndarray) -> tuple[float, float, numpy.ndarray]:
    mean = float(base.sum()) / base.size
    centred = base - mean
    spread = float(centred @ centred)
    a = float(centred @ values) / spread if spread > 1e-20 else 0.0
    d = float(values.sum()) / values.size - a * mean
    return a, d, values - a * base - d


def _fitted(
    expression: Expression,
    values: numpy.ndarray,
    published: Expression,
    *,
    digits: Sequence[tuple[int, int]] = _DIGITS,
) -> _Numbers | None:
    bases = dict(zip(_STARTS, _started(published), strict=True))
    for b, c in _of_waves(expression, published):
        bases[b, c] = evaluate(published, b * _POINTS + c)
    # Rounded, so that of equals the simplest comes first.
    left_over = {
        start: round(float(numpy.std(_left_over(values, base)[2])), 10)
        for start, base in bases.items()
    }
    best = sorted(bases, key=lambda start: left_over[start])[:_FOLLOWED]
    for start in best:
        if left_over[start] > _PROMISING * numpy.std(values):
            continue
        b, c = _refined(values, published, start)
        if not _SCALES[0] <= abs(b) <= _SCALES[1]:
            continue
        for inner, outer in digits:
            numbers = _rounded(values, published, b, c, inner, outer)
            if _holds(expression, published, numbers):
                return numbers
    return None


def _refined(
    values: numpy.ndarray, published: Expression, start: tuple[float, float]
) -> tuple[float, float]:
    # Most of what asks for relatives is known at once, and SciPy's optimisers take long to import.
    if numpy.abs(_residual(values, published, *start)[2]).max() < _TOLERANCE:
        return start
    from scipy.optimize import leastsq

    b, c = start
    for most_evaluations in (25, 80):
        # Few fits come near within a few steps; only those are worth finishing.
        fitted, *_ = leastsq(
            lambda bc: _residual(values, published, *bc)[2],
            (b, c),
            xtol=1e-14,
            ftol=1e-14,
            gtol=1e-14,
            maxfev=3 * most_evaluations,
            full_output=True,
        )
        b, c = map(float, fitted)
        left_over = numpy.abs(_residual(values, published, b, c)[2]).max()
        if not left_over <= _CLOSE * (1 + numpy.abs(values).max()):
            break
    return b, c


def _rounded(
    values: numpy.ndarray, published: Expression, b: float, c: float, inner: int, outer: int
) -> _Numbers:
    """b and c to `inner` digits, and the a and d that fit them best."""
    b, c = round(b, inner), _shift(c, inner)
    a, d, _ = _residual(values, published, b, c)
    return round(a, outer), b, c, _shift(d, outer)


def _shift(number: float, digits: int) -> float:
    """What is added, rounded; what a fit leaves of nothing is 0."""
    return 0.0 if abs(number) < _TOLERANCE else round(number, digits) + 0.0


def _holds(expression: Expression, published: Expression, numbers: _Numbers) -> bool:
    a, b, c, d = numbers
    if a == 0 or b == 0:
        return False
    inner = b * _CHECK_POINTS + c
    expected = evaluate(expression, _CHECK_POINTS)
    values = a * evaluate(published, inner) + d
    # Where a guard holds an argument back, neither value is that of the function.
    either = is_held(expression, _CHECK_POINTS) | is_held(published, inner)
    close = numpy.abs(values - expected) <= _TOLERANCE * (1 + numpy.abs(expected))
    return bool((close | either).all())
