"""What one function came to on one task of finals, seed by seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from evaluators.evaluation.evaluation import SMALLEST_LOSS, Outcome
from search.history import Entrant, Measure, Run


@dataclass(frozen=True)
class Guess:
    """What a run counts as that diverged.

    Attributes:
        loss: On validation data, in nats; for a regression the squared error.
        percent: Validation accuracy, or what is explained of the variance of the targets.
        test_loss: The same on test data.
        test_percent: The same on test data.
    """

    loss: float
    percent: float
    test_loss: float
    test_percent: float

    @classmethod
    def of(cls, classes: int) -> Guess:
        """What a network is worth that has learnt nothing: one in `classes` classified rightly.

        For a regression, whose targets have variance 1, it is the mean of the targets.
        """
        loss = math.log(classes) if classes > 1 else 1.0
        percent = 100.0 / classes if classes else 0.0
        return cls(loss, percent, loss, percent)

    def no_better_than(self, runs: Iterable[Run]) -> Guess:
        """The same, or the worst of some runs where one of them is worse than a guess.

        Else it would be an advantage to diverge where others are sure of what is wrong.
        """
        guess = self
        for run in runs:
            if is_scored(run):
                last = run.curve[-1]
                guess = replace(
                    guess,
                    loss=max(guess.loss, last.validation_loss),
                    percent=min(guess.percent, 100.0 * last.validation_accuracy),
                )
            if run.test_loss is not None and run.test_accuracy is not None:
                guess = replace(
                    guess,
                    test_loss=max(guess.test_loss, run.test_loss),
                    test_percent=min(guess.test_percent, 100.0 * run.test_accuracy),
                )
        return guess


@dataclass(frozen=True)
class EntrantResults:
    """One function on one task, over the seeds.

    A run that diverged counts as a `Guess`. A run that failed, for want of time or with its worker,
    counts as nothing, and its seed is left out of the function's comparisons.

    Attributes:
        entrant: The function.
        runs: One for each seed that counts.
        classes: Number of labels.
        guesses: What each run would count as if it diverged; a mere guess by default.
        tasks: What the mean over several tasks is made of; empty for one task.
    """

    entrant: Entrant
    runs: tuple[Run, ...]
    classes: int
    guesses: tuple[Guess, ...] = ()
    tasks: tuple[EntrantResults, ...] = ()

    @property
    def test_percents(self) -> list[float]:
        """Test accuracy of each seed in per cent, NaN where there is none."""
        return [
            guess.test_percent
            if run.ended is Outcome.DIVERGED
            else _known(run.test_accuracy, times=100.0)
            for run, guess in self._guessed()
        ]

    @property
    def log_losses(self) -> list[float]:
        """Logarithm of the test loss of each seed, NaN where there is none."""
        losses = (
            guess.test_loss if run.ended is Outcome.DIVERGED else _known(run.test_loss)
            for run, guess in self._guessed()
        )
        return [math.log(max(loss, SMALLEST_LOSS)) for loss in losses]

    @property
    def validation_percents(self) -> list[float]:
        """Validation accuracy of each seed in per cent, NaN where training failed."""
        return [
            guess.percent
            if run.outcome is Outcome.DIVERGED
            else 100.0 * run.curve[-1].validation_accuracy
            if is_scored(run)
            else math.nan
            for run, guess in self._guessed()
        ]

    @property
    def validation_losses(self) -> list[float]:
        """Validation loss of each seed in nats, NaN where training failed."""
        return [
            guess.loss
            if run.outcome is Outcome.DIVERGED
            else run.curve[-1].validation_loss
            if is_scored(run)
            else math.nan
            for run, guess in self._guessed()
        ]

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
        known = measured(self.test_percents)
        return stdev(known) if len(known) > 1 else None

    @property
    def validation_percent(self) -> float | None:
        """Mean validation accuracy."""
        return _mean(self.validation_percents)

    @property
    def validation_loss(self) -> float | None:
        """Mean validation loss in nats; that of a guess where training diverged."""
        return _mean(self.validation_losses)

    @property
    def diverged(self) -> int:
        """Seeds on which training diverged, on any of several tasks."""
        return self._ended(Outcome.DIVERGED)

    @property
    def failed(self) -> int:
        """Seeds on which it failed for reasons outside the function, on any of several tasks."""
        return self._ended(Outcome.FAILED)

    @property
    def seconds(self) -> float | None:
        """Mean training time of a seed."""
        return _mean([run.seconds for run in self.runs])

    def _guessed(self) -> Iterator[tuple[Run, Guess]]:
        guesses = self.guesses or (Guess.of(self.classes),) * len(self.runs)
        return zip(self.runs, guesses, strict=True)

    def _ended(self, outcome: Outcome) -> int:
        rows = self.tasks or (self,)
        seeds = zip(*(row.runs for row in rows), strict=True)
        return sum(any(run.ended is outcome for run in runs) for runs in seeds)


def is_scored(run: Run) -> bool:
    """Whether training reached its end."""
    return run.outcome is Outcome.SCORED


def measured(values: Iterable[float]) -> list[float]:
    """Those that are there: NaN stands for a run that has come to nothing."""
    return [value for value in values if not math.isnan(value)]


def _known(value: float | None, *, times: float = 1.0) -> float:
    return math.nan if value is None else times * value


def _mean(values: Iterable[float]) -> float | None:
    known = measured(values)
    return fmean(known) if known else None
