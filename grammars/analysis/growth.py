"""Sums of powers, logarithms and exponentials that a function comes ever closer to far from 0.

A small part of the algebra of Hardy (Orders of Infinity, 1910) and Gruntz (On Computing Limits in a
Symbolic Manipulation System, 1996): a few terms and a bound on the rest, or no answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

# More terms than any published function needs to survive its own cancellations.
_MOST_TERMS: Final = 4
_CANCELS: Final = 1e-12


class UnknownGrowthError(ArithmeticError):
    """What these rules do not tell."""


class UndefinedGrowthError(UnknownGrowthError):
    """What has no value far from 0, such as a logarithm of what is negative there."""


class Scale(NamedTuple):
    """How fast something grows with t > 0: exp(rate t^degree) t^power (log t)^logs."""

    degree: float = 0.0
    rate: float = 0.0
    power: float = 0.0
    logs: float = 0.0

    @property
    def order(self) -> tuple[float, ...]:
        """Ascending with the growth."""
        sign = math.copysign(1.0, self.rate) if self.rate else 0.0
        return sign, sign * self.degree, self.rate, self.power, self.logs

    def times(self, other: Scale) -> Scale:
        """The growth of a product; of exponentials of different degrees see `bounded_times`."""
        rate = self.rate + other.rate
        degree = max(self.degree, other.degree) if rate else 0.0
        return Scale(degree, rate, self.power + other.power, self.logs + other.logs)

    def outgrows(self, other: Scale) -> bool:
        """Whether its exponential is of a higher degree than that of another."""
        return bool(self.rate and other.rate) and self.degree > other.degree

    def bounded_times(self, other: Scale) -> Scale:
        """A scale that the product of exponentials of different degrees stays below."""
        faster = self if self.degree > other.degree else other
        if faster.rate > 0:
            raise UnknownGrowthError
        return Scale(faster.degree, faster.rate / 2)

    def to(self, exponent: float) -> Scale:
        """The growth of a power."""
        return Scale(
            self.degree if exponent else 0.0,
            self.rate * exponent,
            self.power * exponent,
            self.logs * exponent,
        )


STEADY: Final = Scale()
LINEAR: Final = Scale(power=1.0)
Terms: TypeAlias = tuple[tuple[Scale, float], ...]


@dataclass(frozen=True)
class Series:
    """A sum of terms, the largest first, up to an error of a known scale.

    Attributes:
        terms: Scales with their factors.
        error: Of what is left out, None where nothing is.
        swings: Whether the error is known to swing for ever instead of settling.
    """

    terms: Terms = ()
    error: Scale | None = None
    swings: bool = False

    @property
    def lead(self) -> tuple[Scale, float] | None:
        """The term that decides, None where it is the error."""
        return self.terms[0] if self.terms else None

    @property
    def size(self) -> Scale | None:
        """The largest scale in it, None for zero."""
        scales = [scale for scale, _ in self.terms]
        if self.error is not None:
            scales.append(self.error)
        return max(scales, key=lambda scale: scale.order, default=None)

    @property
    def sign(self) -> int:
        """Of all values from some t on; UnknownGrowthError where the error decides."""
        if self.lead is None:
            if self.error is not None:
                raise UnknownGrowthError
            return 0
        return 1 if self.lead[1] > 0 else -1

    @property
    def limit(self) -> float | None:
        """For t to infinity; None where it swings, UnknownGrowthError where that is not known."""
        if self.lead is not None and self.lead[0].order > STEADY.order:
            return math.copysign(math.inf, self.lead[1])
        if self.error is not None and self.error.order >= STEADY.order:
            if self.swings:
                return None
            raise UnknownGrowthError
        return self.lead[1] if self.lead is not None and self.lead[0] == STEADY else 0.0

    def without_lead(self) -> Series:
        """What comes after the first term."""
        return Series(self.terms[1:], self.error, self.swings)


def number(value: float) -> Series:
    """A number."""
    return Series(((STEADY, value),) if value else ())


def vanishing(scale: Scale) -> Series:
    """Something of which only the scale is known."""
    return Series((), scale)


def add(*parts: Series) -> Series:
    """A sum; terms that cancel up to rounding are gone."""
    totals: dict[Scale, float] = {}
    sizes: dict[Scale, float] = {}
    for part in parts:
        for scale, factor in part.terms:
            totals[scale] = totals.get(scale, 0.0) + factor
            sizes[scale] = sizes.get(scale, 0.0) + abs(factor)
    kept = {s: f for s, f in totals.items() if abs(f) > _CANCELS * sizes[s]}
    errors = [part.error for part in parts if part.error is not None]
    swinging = [part for part in parts if part.swings]
    # Two that swing might cancel: one that is larger than all other errors is known to.
    others = [part.error.order for part in parts if part.error is not None and not part.swings]
    swings = len(swinging) == 1 and all(
        swinging[0].error is not None and order < swinging[0].error.order for order in others
    )
    return _ordered(kept.items(), errors, swings=swings)


def scaled(series: Series, factor: float) -> Series:
    """A multiple."""
    terms = tuple((scale, factor * each) for scale, each in series.terms)
    return Series(terms, series.error, series.swings) if factor else Series()


def multiply(a: Series, b: Series) -> Series:
    """A product."""
    products = [
        _product(left, right, first * second)
        for left, first in a.terms
        for right, second in b.terms
    ]
    sizes = [a.size, b.size]
    errors = [
        _bound(error, size)
        for error, size in ((a.error, sizes[1]), (b.error, sizes[0]))
        if error is not None and size is not None
    ]
    # 2 + sin(t) swings, t (2 + sin(t)) does not: the 2 is lost by then.
    swings = a.swings != b.swings and errors == [STEADY]
    return add(*products, *(Series((), error, swings) for error in errors))


def _product(left: Scale, right: Scale, factor: float) -> Series:
    if left.outgrows(right) or right.outgrows(left):
        return vanishing(left.bounded_times(right))
    return Series(((left.times(right), factor),))


def _bound(left: Scale, right: Scale) -> Scale:
    if left.outgrows(right) or right.outgrows(left):
        return left.bounded_times(right)
    return left.times(right)


def power(series: Series, exponent: float) -> Series:
    """A fixed power; of what is negative a whole one."""
    if series.lead is None:
        return _power_without_lead(series, exponent)
    scale, factor = series.lead
    if factor < 0 and not exponent.is_integer():
        raise UndefinedGrowthError
    rest = multiply(series.without_lead(), Series(((scale.to(-1.0), 1.0 / factor),)))
    lead = Series(((scale.to(exponent), float(factor**exponent)),))
    # (1 + r)^k = 1 + k r + k (k - 1) r^2 / 2 + O(r^3)
    squared = multiply(rest, rest)
    second = scaled(squared, exponent * (exponent - 1) / 2)
    return multiply(lead, add(number(1.0), scaled(rest, exponent), second, _cubed(rest, squared)))


def _power_without_lead(series: Series, exponent: float) -> Series:
    if series.error is None:
        if exponent <= 0:
            raise UnknownGrowthError
        return Series()
    if exponent <= 0 or not exponent.is_integer():
        raise UnknownGrowthError
    return Series((), series.error.to(exponent), series.swings)


def _cubed(rest: Series, squared: Series) -> Series:
    size = multiply(squared, rest).size
    return Series() if size is None else vanishing(size)


def exponential(series: Series) -> Series:
    """e to the power of something that falls, rises as a power of t, or comes to rest."""
    growing = [term for term in series.terms if term[0].order > STEADY.order]
    error_grows = series.error is not None and series.error.order >= STEADY.order
    # Of e to the power of an exponential the scale tells neither factor nor rate.
    is_tower = bool(growing) and growing[0][0].rate > 0
    if growing and (len(growing) > 1 or error_grows or is_tower):
        return _falling(growing[0])
    if error_grows:
        if series.error == STEADY:
            return Series((), STEADY, series.swings)
        raise UnknownGrowthError
    constant = sum(factor for scale, factor in series.terms if scale == STEADY)
    rest = Series(
        tuple(term for term in series.terms if term[0].order < STEADY.order), series.error
    )
    squared = multiply(rest, rest)
    unit = add(number(1.0), rest, scaled(squared, 0.5), _cubed(rest, squared))
    lead = Series(((_exponential_scale(growing), math.exp(min(constant, 700.0))),))
    return multiply(lead, unit)


def _exponential_scale(growing: list[tuple[Scale, float]]) -> Scale:
    if not growing:
        return STEADY
    ((scale, factor),) = growing
    if scale == Scale(power=scale.power):
        return Scale(degree=scale.power, rate=factor)
    if scale == Scale(logs=1.0):
        return Scale(power=factor)
    if factor < 0 and scale.rate > 0:
        return Scale(degree=math.inf, rate=-1.0)
    raise UnknownGrowthError


def _falling(term: tuple[Scale, float]) -> Series:
    """e to the power of what is led by a term that falls: below half of it is left."""
    scale, factor = term
    if factor > 0:
        raise UnknownGrowthError
    return vanishing(_exponential_scale([(scale, factor / 2)]))


def logarithm(series: Series) -> Series:
    """The natural logarithm of what is positive from some t on."""
    if series.lead is None:
        raise UnknownGrowthError
    if series.lead[1] < 0:
        raise UndefinedGrowthError
    scale, factor = series.lead
    if scale.logs:
        raise UnknownGrowthError
    rest = multiply(series.without_lead(), Series(((scale.to(-1.0), 1.0 / factor),)))
    squared = multiply(rest, rest)
    parts = [number(math.log(factor)), rest, scaled(squared, -0.5), _cubed(rest, squared)]
    if scale.rate:
        parts.append(Series(((Scale(power=scale.degree), scale.rate),)))
    if scale.power:
        parts.append(Series(((Scale(logs=1.0), scale.power),)))
    return add(*parts)


def _ordered(terms: Iterable[tuple[Scale, float]], errors: list[Scale], *, swings: bool) -> Series:
    ordered = sorted(terms, key=lambda term: term[0].order, reverse=True)
    errors = [*errors, *(scale for scale, _ in ordered[_MOST_TERMS:])]
    error = max(errors, key=lambda scale: scale.order, default=None)
    kept = tuple(
        term for term in ordered[:_MOST_TERMS] if error is None or term[0].order > error.order
    )
    return Series(kept, error, swings)
