"""Paired statistics over seeds: which function is better than which, by how much, how surely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from evaluators.statistics.paired import ENOUGH_SEEDS, FEWEST_SEEDS, holm, paired_t


class Finding(StrEnum):
    """What a comparison came to."""

    BETTER = "better"
    WORSE = "worse"
    INDISTINGUISHABLE = "not distinguishable"
    NOT_COMPARED = "not compared"
    NOT_TESTED = "not tested"

    @property
    def is_settled(self) -> bool:
        """Whether a difference was found."""
        return self in (Finding.BETTER, Finding.WORSE)


@dataclass(frozen=True)
class Comparison:
    """A function against a rival on the same seeds; a positive difference speaks for it.

    Attributes:
        function: Key of the function.
        rival: Key of what it is compared with.
        seeds: Pairs that were compared.
        difference: Mean paired difference, in the unit of the values.
        low: Lower end of its interval, at the level that its p value is held to.
        high: Upper end.
        p: Two-sided, paired t test, times the number of planned looks and, where it speaks for
            the gate's function, of choices.
        p_adjusted: The same after Holm's correction over its family, behind the gate if any.
        effect_size: d_z, see `Paired`.
        finding: The verdict.
        detectable: See `Paired`, at the same level.
        p_fresh: See `Paired`.
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
    detectable: float | None = None
    p_fresh: float | None = None

    def figures(self, *, unit: str = "points", digits: int = 2) -> str:
        """What the finding rests on, in words."""
        if self.p_adjusted is None or self.difference is None:
            common = f"{self.seeds} seed{'' if self.seeds == 1 else 's'} in common"
            return f"{common}, at least {FEWEST_SEEDS} are needed"
        if self.finding is Finding.NOT_TESTED:
            return f"the leader did not pass, {signed(self.difference, digits)} {unit}"
        seeds = f"{self.seeds} seeds"
        if self.seeds < ENOUGH_SEEDS:
            seeds = f"only {self.seeds} seeds, too few to rely on"
        elif self.detectable is not None and self.finding is Finding.INDISTINGUISHABLE:
            seeds += f", which would have shown {self.detectable:.{digits}f}"
        return f"{p_words(self.p_adjusted)}, {signed(self.difference, digits)} {unit}, {seeds}"


OPENINGS: Final[Mapping[Finding, str]] = {
    Finding.BETTER: "better than",
    Finding.WORSE: "worse than",
    Finding.INDISTINGUISHABLE: "not distinguishable from",
    Finding.NOT_COMPARED: "not compared with",
    Finding.NOT_TESTED: "not tested against",
}
"""How a sentence on a function begins, before the rivals."""


def verdict(
    comparisons: Iterable[Comparison],
    *,
    titles: Mapping[str, str],
    unit: str = "points",
    digits: int = 2,
) -> str:
    """One function's comparisons in words: the better ones first, then the worse ones.

    Args:
        comparisons: Of one function.
        titles: What rivals are called, by key; a rival that is not among them goes by its key.
        unit: Of the differences.
        digits: Of the differences, after the decimal point.
    """
    by_finding: dict[Finding, list[str]] = {finding: [] for finding in Finding}
    for each in comparisons:
        name = titles.get(each.rival, each.rival)
        by_finding[each.finding].append(f"{name} ({each.figures(unit=unit, digits=digits)})")
    return "; ".join(
        f"{OPENINGS[finding]} {listed(names)}" for finding, names in by_finding.items() if names
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
    gate: str | None = None,
    choices: int = 1,
) -> tuple[Comparison, ...]:
    """Compares every function with every rival by paired t tests.

    All functions meet the same seeds, so a seed's luck cancels in the difference (Student, The
    Probable Error of a Mean, 1908; for benchmarks of learning Bouthillier and others, Accounting
    for Variance in Machine Learning Benchmarks, 2021). The family whose error rate is kept are all
    distinct pairs of a function and a rival: that any of them is falsely called different has at
    most the probability `error_rate` (Holm, A Simple Sequentially Rejective Multiple Test
    Procedure, 1979). Where data are looked at `looks` times before it is decided to stop, each look
    gets an equal share of the error rate, whichever of them turns out to be the last: p values are
    multiplied, and intervals widened, accordingly. An interval is built at the level that Holm's
    correction holds its p value to: it leaves 0 out where, and only where, the difference is found.

    With a gate, its comparisons with the rivals are a family of their own that comes first, and all
    others follow behind it: none of them is tested unless all of the gate's are found (Maurer,
    Hothorn, Lehmacher 1995; Westfall, Krishen 2001). So what matters most isn't corrected for the
    rest.
    Behind a gate that stayed closed, intervals are those that an open one would have left.

    A function that was chosen for the gate by the runs that are compared owes part of its lead to
    their luck. So for what speaks for it each of the `choices` that might have been chosen gets an
    equal share of the error rate, as looks do (Bonferroni; for selection in general Taylor and
    Tibshirani, Statistical Learning and Selective Inference, 2015). What speaks against it does so
    in spite of that luck, and is not corrected for it.

    No result is a NaN: such a seed is left out of every pair that it would belong to. Two functions
    that agree on every seed differ by 0 with p = 1. Differences that are equal but not 0 have no
    spread to judge them by: p = 1, and no interval. Fewer than two pairs are not compared.

    Args:
        values: Of each function one value a seed, in the same order of seeds, higher is better.
        rivals: Keys of those to compare with; a rival is not compared with itself.
        looks: Planned looks at growing numbers of seeds.
        error_rate: Of the whole family, over all looks.
        gate: Key of the function whose comparisons come first; one family for all by default.
        choices: Functions among which that one was chosen by the same runs; 1 if it was not.

    Returns:
        One comparison for each function and rival, in the order of `values`, then of `rivals`.

    Raises:
        ValueError: If numbers of seeds differ, a value is infinite, or a rival has no values.
    """
    table = _checked(values, rivals)
    keys = [(function, rival) for function in table for rival in rivals if function != rival]
    p_values, shares = {}, {}
    for key in keys:
        pair = paired_t(table[key[0]], table[key[1]])
        difference = pair.difference or 0.0
        is_luck = difference > 0.0 if key[0] == gate else difference < 0.0 and key[1] == gate
        shares[key] = looks * choices if is_luck else looks
        if pair.p is not None:
            p_values[frozenset(key)] = min(1.0, shares[key] * pair.p)
    gated = 0 if gate is None else sum(gate != rival for rival in rivals)
    corrected = _corrected(p_values, gate, gated, error_rate)
    return tuple(
        _comparison(key, table, p_values, corrected, shares=shares[key], error_rate=error_rate)
        for key in keys
    )


def signed(value: float, digits: int) -> str:
    """A difference with its sign, and none before a rounded zero."""
    text = f"{value:+.{digits}f}"
    return text if float(text) else f"{0.0:.{digits}f}"


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


@dataclass(frozen=True)
class _Correction:
    """What a family makes of a p value.

    Attributes:
        p_adjusted: After correction.
        factor: By which its level is divided.
        is_open: Whether no gate before it stayed closed.
    """

    p_adjusted: float
    factor: float
    is_open: bool = True


def _corrected(
    p_values: Mapping[frozenset[str], float], gate: str | None, gated: int, error_rate: float
) -> dict[frozenset[str], _Correction]:
    """Holm's correction, behind a gate of so many comparisons.

    Two rivals compared both ways are one comparison.
    """
    first = {key: p for key, p in p_values.items() if gate is not None and gate in key}
    rest = {key: p for key, p in p_values.items() if key not in first}
    own = _held(first)
    opens_at = max((each.p_adjusted for each in own.values()), default=0.0)
    if len(own) < gated:  # what could not be compared has not passed
        opens_at = 1.0
    behind = {
        key: _Correction(max(each.p_adjusted, opens_at), each.factor, opens_at <= error_rate)
        for key, each in _held(rest).items()
    }
    return {**own, **behind}


def _held(family: Mapping[frozenset[str], float]) -> dict[frozenset[str], _Correction]:
    keys = sorted(family, key=lambda key: family[key])
    adjusted = holm([family[key] for key in keys])
    found, greatest = {}, 0.0
    for place, (key, p_adjusted) in enumerate(zip(keys, adjusted, strict=True)):
        factor = float(len(keys) - place)
        greatest = max(greatest, factor * family[key])
        # Where the correction of a smaller p value reaches as far, that is the level.
        if family[key] > 0.0:
            factor = max(factor, greatest / family[key])
        found[key] = _Correction(p_adjusted, factor)
    return found


def _comparison(
    key: tuple[str, str],
    table: Mapping[str, np.ndarray],
    p_values: Mapping[frozenset[str], float],
    corrected: Mapping[frozenset[str], _Correction],
    *,
    shares: int,
    error_rate: float,
) -> Comparison:
    function, rival = key
    correction = corrected.get(frozenset(key))
    level = error_rate / shares / (1.0 if correction is None else correction.factor)
    pair = paired_t(table[function], table[rival], error_rate=level)
    p_adjusted = None if correction is None else correction.p_adjusted
    return Comparison(
        function=function,
        rival=rival,
        seeds=pair.seeds,
        difference=pair.difference,
        low=pair.low,
        high=pair.high,
        p=p_values.get(frozenset(key)),
        p_adjusted=p_adjusted,
        effect_size=pair.effect_size,
        finding=_finding(pair.difference, correction, error_rate),
        detectable=pair.detectable,
        p_fresh=pair.p_fresh,
    )


def _finding(
    difference: float | None, correction: _Correction | None, error_rate: float
) -> Finding:
    if difference is None or correction is None:
        return Finding.NOT_COMPARED
    if not correction.is_open:
        return Finding.NOT_TESTED
    if correction.p_adjusted > error_rate:
        return Finding.INDISTINGUISHABLE
    return Finding.BETTER if difference > 0 else Finding.WORSE
