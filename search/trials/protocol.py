"""Trains functions outside of a campaign, under the very protocol of one."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.forecasting.learning_curves import LearningCurves
from evaluators.probing.probes import probe
from evaluators.statistics.calibration import Scores
from evaluators.tasks import Task
from grammars import (
    CATALOGUE,
    Activation,
    Expression,
    Grammar,
    activation_id,
    by_layer,
    canonical,
    parse,
)
from search.executors import Workload, dry_run
from search.executors.site import Site
from search.settings import ScoringSettings

# Nobody waits for single candidates here: large batches, and time for the longest rungs.
_SCORING: Final = ScoringSettings(batch=64, timeout_seconds=600.0)
_FEW: Final = ScoringSettings(batch=32, timeout_seconds=600.0)
# Draws that bring nothing new, by which one knows that a grammar has no more.
_FRUITLESS: Final = 10_000


@dataclass(frozen=True)
class Trained:
    """What functions came to on every rung.

    Attributes:
        task: As it was trained, a fallback's data set included.
        steps: Of each rung, ascending.
        evaluations: One a rung, by the function's name; what diverged anywhere is left out.
    """

    task: Task
    steps: tuple[int, ...]
    evaluations: Mapping[str, Sequence[Evaluation]]

    @property
    def scores(self) -> Scores:
        """Of every run: rungs by functions by seeds."""
        runs = [[each.per_seed for each in column] for column in self.evaluations.values()]
        scores = [[[seed.score for seed in rung] for rung in column] for column in runs]
        shares = [[[seed.validation_accuracy for seed in rung] for rung in c] for c in runs]
        return Scores(
            self.steps,
            scores=np.swapaxes(np.array(scores), 0, 1),
            accuracies=np.swapaxes(np.array(shares), 0, 1),
        )

    def learning_curves(self, *, seed: int) -> LearningCurves:
        """For campaigns to forecast from; the names are the expressions."""
        scores = {
            text: [each.score for each in column if each.score is not None]
            for text, column in self.evaluations.items()
        }
        return LearningCurves.of(
            scores,
            task=self.task.name,
            dataset=self.task.data.name,
            digest_of_task=self.task.digest,
            seed=seed,
            steps=self.steps,
        )


def published() -> dict[str, Expression]:
    """The functions of the catalogue that pass the probes, by name."""
    return {name: f for name in CATALOGUE if probe(f := parse(name)) is None}


def draw_functions(grammar: Grammar, count: int, *, seed: int) -> list[Expression]:
    """The catalogue, and distinct functions of a grammar, as far as they pass the probes.

    Args:
        grammar: To draw from.
        count: Functions beside the catalogue's; fewer where the grammar has no more.
        seed: Of the draw.
    """
    random = Random(seed)
    known = {str(canonical(each)): each for each in published().values()}
    wanted, fruitless = len(known) + count, 0
    while len(known) < wanted and fruitless < _FRUITLESS:
        expression = grammar.sample(random, depth=(1, 4))
        key = str(canonical(expression))
        fruitless += 1
        if key not in known and probe(expression) is None:
            known[key], fruitless = expression, 0
    return list(known.values())


def score(
    expressions: Sequence[Activation], fidelity: Fidelity, *, task: Task, site: Site
) -> list[Evaluation]:
    """Probes and trains functions as a campaign would; equal ones are trained once.

    Returns:
        One evaluation a function, in order.

    Raises:
        LayersError: If one has more functions than the task's network has layers for.
        DatasetUnavailable: If there are no data to train on.
        TaskError: If the task, one of a user's own, does not work.
    """
    for expression in expressions:
        by_layer(expression, task.network.hidden_layers)
    workload = Workload(task.on(site.load(task.data)), highest=fidelity)
    distinct = {activation_id(expression): expression for expression in expressions}
    records = {
        identity: rejection
        for identity, expression in distinct.items()
        if (rejection := workload.bench.rejection(expression, fidelity)) is not None
    }
    trainable = [expression for i, expression in distinct.items() if i not in records]
    _try(workload, _FEW)
    with site.start(workload, _FEW, at_most=max(1, len(trainable))) as executor:
        for batch in executor.evaluate(trainable, fidelity, stopping=threading.Event()):
            records.update((record.candidate_id, record) for record in batch)
    return [records[activation_id(expression)] for expression in expressions]


def try_tasks(tasks: Sequence[Task], *, site: Site) -> None:
    """Tries tasks of a user's own before much is trained on them.

    Raises:
        DatasetUnavailable: If there are no data to train on.
        TaskError: If one does not work.
    """
    first, *others = (task.on(site.load(task.data)) for task in tasks)
    _try(Workload(first, others=tuple(others)), _SCORING)


def _try(workload: Workload, scoring: ScoringSettings) -> None:
    dry_run(workload, timeout_seconds=scoring.timeout_seconds, memory_gib=scoring.memory_gib)


def train_on_every_rung(
    functions: Mapping[str, Expression],
    steps: Sequence[int],
    *,
    task: Task,
    seeds: tuple[int, ...],
    site: Site,
) -> Trained:
    """Trains functions, each rung going on from the one before; leaves out what diverges.

    Args:
        functions: By name.
        steps: Of each rung, ascending.
        task: What to train on.
        seeds: Of the training runs.
        site: Where.

    Raises:
        DatasetUnavailable: If there are no data to train on.
        TaskError: If the task, one of a user's own, does not work.
    """
    try_tasks([task], site=site)
    (trained,) = train_at_rates(functions, steps, [None], task=task, seeds=seeds, site=site)
    return trained


def train_at_rates(
    functions: Mapping[str, Expression],
    steps: Sequence[int],
    rates: Sequence[float | None],
    *,
    task: Task,
    seeds: tuple[int, ...],
    site: Site,
) -> list[Trained]:
    """The same at several learning rates, compiled once.

    Args:
        functions: By name.
        steps: Of each rung, ascending.
        rates: Learning rates; None for the recipe's own.
        task: What to train on.
        seeds: Of the training runs.
        site: Where.

    Raises:
        DatasetUnavailable: If there are no data to train on.
    """
    trained = task.on(site.load(task.data))
    found = []
    with (
        tempfile.TemporaryDirectory() as states,
        site.start(Workload(trained, states_folder=Path(states)), _SCORING) as executor,
    ):
        for rate in rates:
            by_rung: list[list[Evaluation]] = []
            for count in steps:
                granted = Fidelity(count, seeds, rate)
                batches = executor.evaluate(
                    [*functions.values()], granted, stopping=threading.Event()
                )
                by_rung.append([record for batch in batches for record in batch])
                at = "" if rate is None else f" at {rate:g}"
                site.announce(f"{count} steps x {len(seeds)} seeds{at} are done")
            columns = zip(functions, zip(*by_rung, strict=True), strict=True)
            complete = {name: c for name, c in columns if all(record.per_seed for record in c)}
            found.append(Trained(trained, tuple(steps), complete))
    return found
