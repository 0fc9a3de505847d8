"""The paired t test, what it could have shown, and Holm's correction of many of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

FEWEST_SEEDS: Final = 2
"""A spread takes two."""

ENOUGH_SEEDS: Final = 5
"""Fewer are told as too few: one of them that is out of the ordinary decides."""

# With which a true difference of the size that is called detectable would have been found.
_POWER: Final = 0.8

# Differences this close, as a share of the values, are equal but for rounding.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Paired:
    """A paired t test.

    Attributes:
        seeds: Pairs that were compared.
        difference: Their mean difference, in the unit of the values; None without any pair.
        low: Lower end of the interval; None where there is no spread to build it from.
        high: Its upper end.
        p: Two-sided; None if there were too few pairs.
        effect_size: Mean over standard deviation of the differences, d_z (Cohen, Statistical Power
            Analysis for the Behavioral Sciences, 2nd edition 1988, section 2.3.5).
        detectable: The smallest true difference that so many pairs with this spread find with a
            probability of 0.8 (Cohen 1988, with Student's t twice); None without a spread.
        p_fresh: Probability that the difference on one more seed is above 0, by Student's
            predictive distribution; None without a spread.
    """

    seeds: int
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    effect_size: float | None = None
    detectable: float | None = None
    p_fresh: float | None = None


def paired_t(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    *,
    error_rate: float = 0.05,
) -> Paired:
    """The two-sided paired t test of `first` minus `second`, see `compare`.

    Args:
        first: One value a seed, NaN where there is none.
        second: The same seeds.
        error_rate: The interval holds with a probability of 1 minus this.
    """
    differences = np.subtract(first, second, dtype=np.float64)
    differences = differences[np.isfinite(differences)]
    count = len(differences)
    if count < FEWEST_SEEDS:
        return Paired(count, float(differences.mean()) if count else None)
    mean = float(differences.mean())
    scale = float(np.nanmax(np.abs(np.stack([first, second]))))
    if float(np.ptp(differences)) <= _ROUNDING * scale:
        if abs(mean) <= _ROUNDING * scale:
            return Paired(count, 0.0, 0.0, 0.0, 1.0, 0.0)
        return Paired(count, mean, p=1.0)
    from scipy import special  # which takes a third of a second that only this needs

    deviation = float(differences.std(ddof=1))
    error = deviation / np.sqrt(count)
    widest = float(special.stdtrit(count - 1, 1.0 - error_rate / 2.0))
    half = widest * error
    p = 2.0 * float(special.stdtr(count - 1, -abs(mean) / error))
    detectable = (widest + float(special.stdtrit(count - 1, _POWER))) * error
    p_fresh = float(special.stdtr(count - 1, mean / np.hypot(deviation, error)))
    return Paired(count, mean, mean - half, mean + half, p, mean / deviation, detectable, p_fresh)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusts p values so that comparing each with the error rate keeps that of the whole family.

    p_(i) becomes the greatest of (m - j + 1) p_(j) over j up to i, at most 1, the p values being
    ordered from the least and m their number (Holm 1979).
    """
    adjusted, greatest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        greatest = max(greatest, (len(p_values) - place) * p_values[index])
        adjusted[index] = min(1.0, greatest)
    return adjusted


def half_width(pairs: Iterable[Paired]) -> float | None:
    """Half the width of the widest interval; None if one of them has none, or there are none."""
    widths = [
        None if pair.low is None or pair.high is None else (pair.high - pair.low) / 2.0
        for pair in pairs
    ]
    known = [width for width in widths if width is not None]
    return max(known) if known and len(known) == len(widths) else None
