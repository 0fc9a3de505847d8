"""Several tasks of finals taken together: what a function comes to on the mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from evaluators.evaluation.evaluation import Outcome
from evaluators.statistics.comparison import listed
from search.finals.entrant_results import (
    EntrantResults,
    log_test_loss,
    percent_on_test,
    percent_on_validation,
    validation_loss_of,
)
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
    runs = zip(*(row.runs for row in rows), strict=True)
    classes = [row.classes for row in rows]
    return EntrantResults(
        rows[0].entrant, tuple(_mean_run(stage, each, classes) for each in runs), stage.classes
    )


def _mean_run(stage: Stage, runs: Sequence[Run], classes: Sequence[int]) -> Run:
    """A run that failed on one task counts as nothing; what diverged on one counts there."""
    pairs = list(zip(runs, classes, strict=True))
    mean = Run(
        runs[0].candidate_id,
        stage.task,
        stage.dataset,
        stage.steps,
        runs[0].seed,
        Outcome.SCORED,
        seconds=math.fsum(run.seconds for run in runs),
    )
    failed = next((run for run in runs if run.outcome is Outcome.FAILED), None)
    if failed is not None:
        return replace(mean, outcome=Outcome.FAILED, reason=f"on {failed.task}: {failed.reason}")
    validation = fmean(math.log(max(validation_loss_of(*pair), 1e-12)) for pair in pairs)
    accuracy = fmean(percent_on_validation(*pair) for pair in pairs) / 100.0
    mean = replace(mean, curve=(Point(stage.steps, math.exp(validation), accuracy),))
    test = fmean(log_test_loss(*pair) for pair in pairs)
    if math.isnan(test):
        return mean
    percent = fmean(percent_on_test(*pair) for pair in pairs)
    return replace(mean, test_loss=math.exp(test), test_accuracy=percent / 100.0)
