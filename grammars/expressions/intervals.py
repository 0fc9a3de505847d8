"""Arithmetic with ranges of values: what lies between bounds on both sides of an operation."""

from __future__ import annotations

import math
from typing import TypeAlias

Interval: TypeAlias = tuple[float, float]
"""The least and the greatest value, infinities included."""

EVERYWHERE: Interval = (-math.inf, math.inf)


def add(a: Interval, b: Interval) -> Interval:
    """The sums of two values."""
    return a[0] + b[0], a[1] + b[1]


def negate(a: Interval) -> Interval:
    """The negatives of a value."""
    return -a[1], -a[0]


def multiply(a: Interval, b: Interval) -> Interval:
    """The products of two values."""
    corners = [_product(left, right) for left in a for right in b]
    return min(corners), max(corners)


def divide(a: Interval, b: Interval) -> Interval:
    """The quotients of two values; all numbers where the divisor may be 0 or change its sign."""
    if b[0] > 0 or b[1] < 0:
        return multiply(a, (1.0 / b[1], 1.0 / b[0]))
    # A divisor that only touches 0 from one side still settles the sign.
    if b[0] == 0 < b[1] or b[1] == 0 > b[0]:
        positive = b[1] > 0
        low, high = a if positive else negate(a)
        return 0.0 if low >= 0 else -math.inf, 0.0 if high <= 0 else math.inf
    return EVERYWHERE


def power(a: Interval, b: Interval) -> Interval:
    """The powers of a value with a fixed exponent; all numbers for others."""
    exponent = b[0]
    if b[0] != b[1]:
        return (0.0, math.inf) if a[0] >= 0 else EVERYWHERE
    if exponent < 0:
        return divide((1.0, 1.0), power(a, (-exponent, -exponent)))
    if exponent == 0:
        return 1.0, 1.0
    if not exponent.is_integer():
        a = max(a[0], 0.0), max(a[1], 0.0)
    ends = [_power(value, exponent) for value in a]
    if exponent % 2 == 0 and a[0] <= 0 <= a[1]:
        ends.append(0.0)
    return min(ends), max(ends)


def maximum(a: Interval, b: Interval) -> Interval:
    """The larger of two values."""
    return max(a[0], b[0]), max(a[1], b[1])


def minimum(a: Interval, b: Interval) -> Interval:
    """The smaller of two values."""
    return min(a[0], b[0]), min(a[1], b[1])


def choose(condition: Interval, positive: Interval, negative: Interval) -> Interval:
    """Either of two values, by the sign of a third."""
    if condition[0] >= 0:
        return positive
    if condition[1] < 0:
        return negative
    return min(positive[0], negative[0]), max(positive[1], negative[1])


def _product(left: float, right: float) -> float:
    # A bound of 0 is reached, one of infinity never is.
    return 0.0 if left == 0 or right == 0 else left * right


def _power(value: float, exponent: float) -> float:
    try:
        return float(value**exponent)
    except OverflowError:
        return math.inf if value > 0 or exponent % 2 == 0 else -math.inf
