"""What one function came to on one task of finals, seed by seed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from evaluators.evaluation.evaluation import Outcome
from search.history import Entrant, Measure, Run


@dataclass(frozen=True)
class EntrantResults:
    """One function on one task, over the seeds.

    A run that diverged counts as what a network is worth that has learnt nothing: one in `classes`
    classified rightly. A run that failed, for want of time or with its worker, counts as nothing,
    and its seed is left out of the function's comparisons.

    Attributes:
        entrant: The function.
        runs: One for each seed that counts.
        classes: Number of labels.
    """

    entrant: Entrant
    runs: tuple[Run, ...]
    classes: int

    @property
    def test_percents(self) -> list[float]:
        """Test accuracy of each seed, NaN where there is none."""
        return [percent_on_test(run, self.classes) for run in self.runs]

    @property
    def log_losses(self) -> list[float]:
        """Logarithm of the test loss of each seed, NaN where there is none."""
        return [log_test_loss(run, self.classes) for run in self.runs]

    @property
    def test_loss(self) -> float | None:
        """Geometric mean of the test losses, in nats; None before the test data were opened."""
        mean = _mean(self.log_losses)
        return None if mean is None else math.exp(mean)

    def values(self, measure: Measure) -> list[float]:
        """Of each seed what functions are compared by, higher is better."""
        if measure.name == "test accuracy":
            return self.test_percents
        return [-value for value in self.log_losses]

    @property
    def mean_percent(self) -> float | None:
        """Mean test accuracy; None before the test data were opened."""
        return _mean(self.test_percents)

    @property
    def deviation_points(self) -> float | None:
        """Standard deviation of the test accuracy over the seeds."""
        known = [value for value in self.test_percents if not math.isnan(value)]
        return stdev(known) if len(known) > 1 else None

    @property
    def validation_percent(self) -> float | None:
        """Mean validation accuracy."""
        return _mean([percent_on_validation(run, self.classes) for run in self.runs])

    @property
    def validation_loss(self) -> float | None:
        """Mean validation loss in nats; that of a guess where training diverged."""
        return _mean([validation_loss_of(run, self.classes) for run in self.runs])

    @property
    def diverged(self) -> int:
        """Seeds on which training diverged."""
        return sum(run.outcome is Outcome.DIVERGED for run in self.runs)

    @property
    def failed(self) -> int:
        """Seeds on which it failed for reasons outside the function."""
        return sum(run.outcome is Outcome.FAILED for run in self.runs)

    @property
    def seconds(self) -> float | None:
        """Mean training time of a seed."""
        return _mean([run.seconds for run in self.runs])


def percent_on_test(run: Run, classes: int) -> float:
    """Test accuracy in per cent, as it counts; see `EntrantResults`."""
    if run.outcome is Outcome.DIVERGED:
        return _percent_of_a_guess(classes)
    return math.nan if run.test_accuracy is None else 100.0 * run.test_accuracy


def percent_on_validation(run: Run, classes: int) -> float:
    """Validation accuracy in per cent, as it counts."""
    if run.outcome is Outcome.DIVERGED:
        return _percent_of_a_guess(classes)
    return 100.0 * run.curve[-1].validation_accuracy if is_scored(run) else math.nan


def is_scored(run: Run) -> bool:
    """Whether it reached its end."""
    return run.outcome is Outcome.SCORED


def validation_loss_of(run: Run, classes: int) -> float:
    """Validation loss in nats, as it counts."""
    if run.outcome is Outcome.DIVERGED:
        return _loss_of_a_guess(classes)
    return run.curve[-1].validation_loss if is_scored(run) else math.nan


def log_test_loss(run: Run, classes: int) -> float:
    """Logarithm of the test loss, as it counts; NaN where there is none."""
    if run.outcome is Outcome.DIVERGED:
        return math.log(_loss_of_a_guess(classes))
    # Below the least that float32 tells from 0.
    return math.nan if run.test_loss is None else math.log(max(run.test_loss, 1e-12))


def _percent_of_a_guess(classes: int) -> float:
    """Of examples that are right; of the variance that is explained, by the mean of the targets."""
    return 100.0 / classes if classes else 0.0


def _loss_of_a_guess(classes: int) -> float:
    """In nats; the squared error of the mean for a regression, whose targets have variance 1."""
    return math.log(classes) if classes > 1 else 1.0


def _mean(values: Iterable[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else None
