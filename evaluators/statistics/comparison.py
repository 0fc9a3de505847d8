"""Paired statistics over seeds: which function is better than which, by how much, how surely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

FEWEST_SEEDS: Final = 2
"""A spread takes two."""

# Differences this close, as a share of the values, are equal but for rounding.
_ROUNDING: Final = 1e-9


class Finding(StrEnum):
    """What a comparison came to."""

    BETTER = "better"
    WORSE = "worse"
    INDISTINGUISHABLE = "not distinguishable"
    NOT_COMPARED = "not compared"


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
    """

    seeds: int
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    effect_size: float | None = None


@dataclass(frozen=True)
class Comparison:
    """A function against a rival on the same seeds; a positive difference speaks for it.

    Attributes:
        function: Key of the function.
        rival: Key of what it is compared with.
        seeds: Pairs that were compared.
        difference: Mean paired difference, in the unit of the values.
        low: Lower end of its interval.
        high: Upper end.
        p: Two-sided, paired t test, times the number of planned looks.
        p_adjusted: The same after Holm's correction over the whole family.
        effect_size: d_z, see `Paired`.
        finding: The verdict.
    """

    function: str
    rival: str
    seeds: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    effect_size: float | None
    finding: Finding

    def figures(self, *, unit: str = "points") -> str:
        """What the finding rests on, in words."""
        if self.p_adjusted is None or self.difference is None:
            common = f"{self.seeds} seed{'' if self.seeds == 1 else 's'} in common"
            return f"{common}, at least {FEWEST_SEEDS} are needed"
        return f"{p_words(self.p_adjusted)}, {self.difference:+.2f} {unit}, {self.seeds} seeds"


_OPENINGS: Final[Mapping[Finding, str]] = {
    Finding.BETTER: "better than",
    Finding.WORSE: "worse than",
    Finding.INDISTINGUISHABLE: "not distinguishable from",
    Finding.NOT_COMPARED: "not compared with",
}


def verdict(
    comparisons: Iterable[Comparison], *, titles: Mapping[str, str], unit: str = "points"
) -> str:
    """One function's comparisons in words: the better ones first, then the worse ones.

    Args:
        comparisons: Of one function.
        titles: What rivals are called, by key; a rival that is not among them goes by its key.
        unit: Of the differences.
    """
    by_finding: dict[Finding, list[str]] = {finding: [] for finding in Finding}
    for each in comparisons:
        name = titles.get(each.rival, each.rival)
        by_finding[each.finding].append(f"{name} ({each.figures(unit=unit)})")
    return "; ".join(
        f"{_OPENINGS[finding]} {listed(names)}" for finding, names in by_finding.items() if names
    )


def listed(words: Sequence[str]) -> str:
    """Words as they are enumerated in a sentence."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def compare(
    values: Mapping[str, Sequence[float]],
    *,
    rivals: Sequence[str],
    looks: int = 1,
    error_rate: float = 0.05,
) -> tuple[Comparison, ...]:
    """Compares every function with every rival by paired t tests.

    All functions meet the same seeds, so a seed's luck cancels in the difference (Student, The
    Probable Error of a Mean, 1908; for benchmarks of learning Bouthillier and others, Accounting
    for Variance in Machine Learning Benchmarks, 2021). The family whose error rate is kept are all
    distinct pairs of a function and a rival: that any of them is falsely called different has at
    most the probability `error_rate` (Holm, A Simple Sequentially Rejective Multiple Test
    Procedure, 1979). Where data are looked at `looks` times before it is decided to stop, each look
    gets an equal share of the error rate, whichever of them turns out to be the last: p values are
    multiplied, and intervals widened, accordingly. The intervals hold for each comparison by
    itself, Holm's correction is not in them.

    No result is a NaN: such a seed is left out of every pair that it would belong to. Two functions
    that agree on every seed differ by 0 with p = 1. Differences that are equal but not 0 have no
    spread to judge them by: p = 1, and no interval. Fewer than two pairs are not compared.

    Args:
        values: Of each function one value a seed, in the same order of seeds, higher is better.
        rivals: Keys of those to compare with; a rival is not compared with itself.
        looks: Planned looks at growing numbers of seeds.
        error_rate: Of the whole family, over all looks; intervals have 1 minus it as confidence.

    Returns:
        One comparison for each function and rival, in the order of `values`, then of `rivals`.

    Raises:
        ValueError: If numbers of seeds differ, a value is infinite, or a rival has no values.
    """
    table = _checked(values, rivals)
    pairs = {
        (function, rival): paired_t(table[function], table[rival], error_rate=error_rate / looks)
        for function in table
        for rival in rivals
        if function != rival
    }
    adjusted = _adjusted(pairs, looks)
    return tuple(
        _comparison(function, rival, pair, looks, adjusted, error_rate)
        for (function, rival), pair in pairs.items()
    )


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
    half = float(special.stdtrit(count - 1, 1.0 - error_rate / 2.0)) * error
    p = 2.0 * float(special.stdtr(count - 1, -abs(mean) / error))
    return Paired(count, mean, mean - half, mean + half, p, mean / deviation)


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


def p_words(p: float) -> str:
    """A p value as it stands in a sentence."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.{3 if p < 0.1 else 2}f}"


def _checked(values: Mapping[str, Sequence[float]], rivals: Sequence[str]) -> dict[str, np.ndarray]:
    table = {key: np.asarray(row, np.float64) for key, row in values.items()}
    counts = {key: len(row) for key, row in table.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"all functions need the same seeds, got these numbers of them: {counts}")
    if missing := [rival for rival in rivals if rival not in table]:
        raise ValueError(f"no values for the rivals {missing}; there are: {list(table)}")
    if infinite := [key for key, row in table.items() if np.isinf(row).any()]:
        raise ValueError(f"infinite values of {infinite}; give NaN for a seed that has no result")
    return table


def _adjusted(pairs: Mapping[tuple[str, str], Paired], looks: int) -> dict[frozenset[str], float]:
    """Holm's correction; two rivals compared both ways are one comparison."""
    family: dict[frozenset[str], float] = {}
    for key, pair in pairs.items():
        if pair.p is not None:
            family[frozenset(key)] = _over_looks(pair.p, looks)
    return dict(zip(family, holm(list(family.values())), strict=True))


def _over_looks(p: float, looks: int) -> float:
    return min(1.0, looks * p)


def _comparison(
    function: str,
    rival: str,
    pair: Paired,
    looks: int,
    adjusted: Mapping[frozenset[str], float],
    error_rate: float,
) -> Comparison:
    p = None if pair.p is None else _over_looks(pair.p, looks)
    p_adjusted = None if p is None else adjusted[frozenset((function, rival))]
    return Comparison(
        function=function,
        rival=rival,
        seeds=pair.seeds,
        difference=pair.difference,
        low=pair.low,
        high=pair.high,
        p=p,
        p_adjusted=p_adjusted,
        effect_size=pair.effect_size,
        finding=_finding(pair.difference, p_adjusted, error_rate),
    )


def _finding(difference: float | None, p_adjusted: float | None, error_rate: float) -> Finding:
    if difference is None or p_adjusted is None:
        return Finding.NOT_COMPARED
    if p_adjusted > error_rate:
        return Finding.INDISTINGUISHABLE
    return Finding.BETTER if difference > 0 else Finding.WORSE
