"""Several tasks of finals taken together: what a function comes to on the mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from evaluators.evaluation.evaluation import SMALLEST_LOSS, Outcome
from evaluators.statistics.comparison import listed
from search.finals.entrant_results import EntrantResults
from search.history import Point, Run, Stage


def mean_stage(stages: Sequence[Stage]) -> Stage:
    """The tasks as one, on which nothing is trained."""
    first, datasets = stages[0], dict.fromkeys(stage.dataset for stage in stages)
    return replace(
        first,
        task=f"mean of {len(stages)} tasks{'' if first.purpose == 'own' else ', ' + first.purpose}",
        dataset=listed(list(datasets)),
        checkpoints=first.checkpoints[-1:],
        definition=None,
        rates={},
    )


def mean_results(stage: Stage, rows: Sequence[EntrantResults]) -> EntrantResults:
    """One function's results over several tasks, seed by seed.

    Losses are averaged as logarithms, so that a task with small losses counts like one with great
    ones.

    Args:
        stage: That of `mean_stage`.
        rows: Of the function, one a task, with the same seeds in the same order.
    """
    runs = (_mean_run(stage, on_tasks) for on_tasks in zip(*map(_by_seed, rows), strict=True))
    return EntrantResults(rows[0].entrant, tuple(runs), stage.classes, tasks=tuple(rows))


@dataclass(frozen=True)
class _OnTask:
    """A run on one of the tasks, and what it counts as there."""

    run: Run
    validation_loss: float
    validation_percent: float
    log_test_loss: float
    test_percent: float


def _by_seed(row: EntrantResults) -> Iterator[_OnTask]:
    return map(
        _OnTask,
        row.runs,
        row.validation_losses,
        row.validation_percents,
        row.log_losses,
        row.test_percents,
    )


def _mean_run(stage: Stage, on_tasks: Sequence[_OnTask]) -> Run:
    """A run that failed on one task counts as nothing; what diverged on one counts there."""
    runs = [each.run for each in on_tasks]
    mean = Run(
        runs[0].candidate_id,
        stage.task,
        stage.dataset,
        stage.steps,
        runs[0].seed,
        Outcome.SCORED,
        seconds=math.fsum(run.seconds for run in runs),
    )
    failed = next((run for run in runs if run.ended is Outcome.FAILED), None)
    if failed is not None:
        mean = replace(mean, reason=f"on {failed.task}: {failed.reason}")
    if any(run.outcome is Outcome.FAILED for run in runs):
        return replace(mean, outcome=Outcome.FAILED)
    validation = fmean(math.log(max(each.validation_loss, SMALLEST_LOSS)) for each in on_tasks)
    accuracy = fmean(each.validation_percent for each in on_tasks) / 100.0
    mean = replace(mean, curve=(Point(stage.steps, math.exp(validation), accuracy),))
    if failed is not None:
        return replace(mean, test_outcome=Outcome.FAILED)
    test = fmean(each.log_test_loss for each in on_tasks)
    if math.isnan(test):
        return mean
    return replace(
        mean,
        test_outcome=Outcome.SCORED,
        test_loss=math.exp(test),
        test_accuracy=fmean(each.test_percent for each in on_tasks) / 100.0,
    )
