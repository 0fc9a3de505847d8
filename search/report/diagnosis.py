"""What happens inside the networks of the best functions and of the published ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from evaluators.evaluation.diagnostics import Diagnostics
from search.candidates.racing import Standing


@dataclass(frozen=True)
class Diagnosis:
    """The mean over the training runs of one function.

    Attributes:
        standing: Of the function in the search.
        runs: How many training runs were diagnosed.
        dead_units: Share of hidden units without any gradient.
        saturated_units: Share that are not dead, but flat nearly everywhere.
        output_sparsity: Share of hidden outputs at 0.
        mean_shift: Mean output of the hidden layer in which it is farthest from 0.
        gradient_ratio: Gradient norm in the first layer over that in the last, their geometric
            mean over the runs; None where there is no such number.
    """

    standing: Standing
    runs: int
    dead_units: float
    saturated_units: float
    output_sparsity: float
    mean_shift: float
    gradient_ratio: float | None


def diagnose_runs(standing: Standing, runs: Sequence[Diagnostics]) -> Diagnosis | None:
    """Averages the diagnostics of a function's training runs; None without any."""
    if not runs:
        return None
    means = [fmean(layer) for layer in zip(*(run.mean_output for run in runs), strict=True)]
    return Diagnosis(
        standing=standing,
        runs=len(runs),
        dead_units=fmean(run.dead_units for run in runs),
        saturated_units=fmean(run.saturated_units for run in runs),
        output_sparsity=fmean(run.output_sparsity for run in runs),
        mean_shift=max(means, key=abs),
        gradient_ratio=_geometric_mean(run.gradient_ratio for run in runs),
    )


def _geometric_mean(ratios: Iterable[float]) -> float | None:
    """None unless all are positive numbers."""
    ratios = list(ratios)
    if not all(math.isfinite(ratio) and ratio > 0.0 for ratio in ratios):
        return None
    return math.exp(fmean(map(math.log, ratios)))
