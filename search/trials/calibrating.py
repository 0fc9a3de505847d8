"""Scores the catalogue on several tasks, at several learning rates, and dearer than any rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evaluators.networks.resizing import resized
from evaluators.statistics.calibration import Scores
from evaluators.statistics.fair_calibration import (
    RateQuality,
    at_own_rates,
    rate_qualities,
    together,
)
from evaluators.tasks import Task
from grammars import Expression
from search.executors.site import Site
from search.trials.protocol import Trained, train_at_rates, try_tasks

LONGER: Final = 4
WIDER: Final = 2


@dataclass(frozen=True)
class Calibrated:
    """What functions came to.

    Attributes:
        names: Of the functions that learn on every task, at one rate at least.
        by_task: Their scores on each rung, each function at its own best rate there.
        whole: The mean over the tasks in each one's spread; of a single task its own scores.
        rates: What each rate tells, by task; empty where recipes keep their own.
        dear: What they come to after `LONGER` times the steps in networks `WIDER` times as wide,
            on a seed of its own [functions]; None if nobody asked.
    """

    names: tuple[str, ...]
    by_task: Mapping[str, Scores]
    whole: Scores
    rates: Mapping[str, Sequence[RateQuality]]
    dear: np.ndarray | None


def calibrate(
    functions: Mapping[str, Expression],
    steps: Sequence[int],
    *,
    tasks: Mapping[str, Task],
    rates: Sequence[float],
    seeds: tuple[int, ...],
    site: Site,
    with_dear: bool = False,
) -> Calibrated:
    """Trains functions on every rung of every task at every rate.

    Args:
        functions: By name.
        steps: Of each rung, ascending.
        tasks: By name.
        rates: Learning rates, ascending; empty for each recipe's own.
        seeds: Of the training runs.
        site: Where.
        with_dear: Whether to train longer in wider networks too.

    Raises:
        DatasetUnavailable: If there are no data to train on.
        TaskError: If a task, one of a user's own, does not work.
        ValueError: If a network cannot be made wider, or too few functions learn.
    """
    wider = (
        {
            name: replace(task, network=resized(task.network, width=WIDER))
            for name, task in tasks.items()
        }
        if with_dear
        else {}
    )
    grid: list[float | None] = [*rates] or [None]
    try_tasks([*tasks.values()], site=site)

    def trained(task: Task, steps: Sequence[int], seeds: tuple[int, ...]) -> list[Trained]:
        return train_at_rates(functions, steps, grid, task=task, seeds=seeds, site=site)

    found = {name: trained(task, steps, seeds) for name, task in tasks.items()}
    dear = {
        name: trained(task, [LONGER * steps[-1]], (seeds[-1] + 1,)) for name, task in wider.items()
    }
    names = tuple(
        name
        for name in functions
        if all(any(name in t.evaluations for t in at) for at in [*found.values(), *dear.values()])
    )
    by_rate = {
        task: {
            rate or tasks[task].recipe.learning_rate: _scores(each, names, seeds, _worst(at))
            for rate, each in zip(grid, at, strict=True)
            if any(name in each.evaluations for name in names)
        }
        for task, at in found.items()
    }
    by_task = {task: at_own_rates(known) for task, known in by_rate.items()}
    return Calibrated(
        names,
        by_task,
        _together([*by_task.values()]),
        {task: rate_qualities(known) for task, known in by_rate.items()} if rates else {},
        _dear([*dear.values()], names) if dear else None,
    )


def _together(scores: Sequence[Scores]) -> Scores:
    return scores[0] if len(scores) == 1 else together(scores)


def _dear(by_task: Sequence[Sequence[Trained]], names: Sequence[str]) -> np.ndarray:
    best: list[np.ndarray] = []
    for at in by_task:
        means = [
            [
                float(column[-1].plain_score or 0.0)
                if (column := each.evaluations.get(name))
                else -np.inf
                for name in names
            ]
            for each in at
        ]
        best.append(np.asarray(np.max(means, axis=0)))
    if len(best) == 1:
        return best[0]
    # As rungs of one seed, so that tasks count alike here as there.
    rungs = [Scores((1,), np.stack([b, b], 1)[None], np.zeros((1, len(b), 2))) for b in best]
    whole: np.ndarray = together(rungs).scores[0, :, 0]
    return whole


def _worst(at_rates: Sequence[Trained]) -> float:
    """The least score of a task, at whichever rate and on whichever rung."""
    return min(
        (
            result.score
            for trained in at_rates
            for column in trained.evaluations.values()
            for evaluation in column
            for result in evaluation.per_seed
        ),
        default=0.0,
    )


def _scores(trained: Trained, names: Sequence[str], seeds: Sequence[int], worst: float) -> Scores:
    """Of the named functions; what diverged at this rate is below whatever did not at any."""
    shape = (len(trained.steps), len(names), len(seeds))
    scores, accuracies = np.full(shape, worst - 1.0), np.zeros(shape)
    for number, name in enumerate(names):
        for rung, evaluation in enumerate(trained.evaluations.get(name, ())):
            scores[rung, number] = [each.score for each in evaluation.per_seed]
            accuracies[rung, number] = [each.validation_accuracy for each in evaluation.per_seed]
    return Scores(trained.steps, scores, accuracies)
