"""Finds each function's own best learning rate with few trainings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

Tried = Mapping[float, float]
"""Scores by learning rate; minus infinity where training diverged."""


def missing_rates(tried: Tried, grid: Sequence[float]) -> list[float]:
    """Rates that must be tried before the best of those tried is known to be a local best.

    The neighbours of the best; if one of them is better, its neighbours, and so on outwards. So a
    function whose best rate is where its search began costs three trainings.

    Args:
        tried: At least one rate of the grid.
        grid: All rates, ascending.

    Returns:
        Ascending; empty once the best is known.
    """
    best = grid.index(best_rate(tried))
    beside = grid[max(0, best - 1) : best + 2]
    return [rate for rate in beside if rate not in tried]


def best_rate(tried: Tried) -> float:
    """The rate with the greatest score; the lowest of those that share it."""
    return max(sorted(tried), key=lambda rate: tried[rate])


def or_worst(score: float | None) -> float:
    """A score; minus infinity where training diverged."""
    return -math.inf if score is None else score


def search_rates(
    count: int,
    grid: Sequence[float],
    *,
    first: float,
    explores: bool,
    scores: Callable[[Sequence[int], float], Sequence[float]],
) -> list[dict[float, float]]:
    """Tries functions at rates, all of those together that need the same one.

    Args:
        count: Of functions.
        grid: All rates, ascending.
        first: The rate that all are tried at.
        explores: Whether to go on from there to each one's own best.
        scores: Trains functions, by number, at a rate.

    Returns:
        What was tried with each function.
    """
    tried: list[dict[float, float]] = [{} for _ in range(count)]
    wanted = {first: list(range(count))}
    while wanted:
        for rate in sorted(wanted):
            for number, score in zip(wanted[rate], scores(wanted[rate], rate), strict=True):
                tried[number][rate] = score
        wanted = {}
        for number, known in enumerate(tried) if explores else ():
            for rate in missing_rates(known, grid):
                wanted.setdefault(rate, []).append(number)
    return tried
