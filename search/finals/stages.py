"""The stages of finals: what entrants meet on, for how long, with how many seeds."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from evaluators.datasets import Data, Dataset, DatasetUnavailable
from evaluators.networks.resizing import resized
from evaluators.tasks import Task, is_known_by_name, with_learning_rate
from grammars import LayersError, by_layer
from search.history import Entrant, Stage
from search.history.finals_plan import Purpose
from search.settings import FinalsSettings

# Shares of a training run after which its curve has a point.
_CHECKPOINT_SHARES: Final = (8, 4, 2, 1)

_SIZES: Final[Mapping[str, Mapping[str, float]]] = {
    "half-width": {"width": 0.5},
    "double-width": {"width": 2.0},
    "half-depth": {"depth": 0.5},
    "double-depth": {"depth": 2.0},
}

Load = Callable[[Data], Dataset]
"""Loads data, as `evaluators.datasets.load` does."""


def own_stages(
    settings: FinalsSettings,
    tasks: Sequence[tuple[Task, Dataset]],
    entrants: Sequence[Entrant],
    meeting: Sequence[Entrant],
    steps: int,
) -> list[Stage]:
    """The tasks that the claim is about; where it is asked for, in longer runs and equal time too.

    What each function's own steps are in equal time is measured later.
    """
    looks = settings.looks if len(tasks) == 1 else (settings.max_seeds,)
    own = [_stage(task, dataset, "own", entrants, steps, looks) for task, dataset in tasks]
    again: list[tuple[Purpose, str, int]] = []
    if settings.longer:
        again.append(("longer", "longer", 2 * steps))
    if settings.equal_time:
        again.append(("equal time", "equal-time", steps))
    looks = (settings.transfer_seeds,)
    return own + [
        _stage(replace(task, name=f"{task.name}-{name}"), dataset, purpose, meeting, count, looks)
        for purpose, name, count in again
        for task, dataset in tasks
    ]


def transfer_stages(
    settings: FinalsSettings,
    meeting: Sequence[Entrant],
    steps: int,
    load: Load,
    find: Callable[[str], Task],
    *,
    without: Container[str],
) -> tuple[list[Stage], list[tuple[str, str]]]:
    """Other tasks, and those that cannot be had, each with the reason."""
    steps, looks = settings.transfer_steps or steps, (settings.transfer_seeds,)
    stages, left_out = [], []
    for name in dict.fromkeys(settings.transfer):
        task = find(name)
        if task.name in without:
            continue
        try:
            for entrant in meeting:
                by_layer(entrant.activation, task.network.hidden_layers)
            stages.append(_stage(task, load(task.data), "transfer", meeting, steps, looks))
        except (DatasetUnavailable, LayersError) as error:
            left_out.append((name, str(error)))
    return stages, left_out


def recipe_stages(
    settings: FinalsSettings, own: Task, dataset: Dataset, meeting: Sequence[Entrant], steps: int
) -> Iterator[Stage]:
    """The own task under other learning rates, the same for all functions."""
    steps, looks = settings.transfer_steps or steps, (settings.transfer_seeds,)
    for rate in dict.fromkeys(settings.learning_rates):
        if rate != own.recipe.learning_rate:
            yield _stage(with_learning_rate(own, rate), dataset, "recipe", meeting, steps, looks)


def resized_stages(
    settings: FinalsSettings, own: Task, dataset: Dataset, meeting: Sequence[Entrant], steps: int
) -> tuple[list[Stage], list[tuple[str, str]]]:
    """The own task with networks of other sizes, and those that cannot be, with the reason."""
    stages, left_out = [], []
    for name, size in _SIZES.items() if settings.resized else ():
        try:
            task = replace(own, name=f"{own.name}-{name}", network=resized(own.network, **size))
            for entrant in meeting:
                by_layer(entrant.activation, task.network.hidden_layers)
        except (LayersError, ValueError) as error:
            left_out.append((f"{own.name}-{name}", str(error)))
            continue
        looks = (settings.transfer_seeds,)
        stages.append(_stage(task, dataset, "resized", meeting, steps, looks))
    return stages, left_out


def _stage(
    task: Task,
    dataset: Dataset,
    purpose: Purpose,
    entrants: Sequence[Entrant],
    steps: int,
    looks: tuple[int, ...],
) -> Stage:
    curve = [max(1, steps // share) for share in _CHECKPOINT_SHARES]
    stage = Stage(
        task=task.name,
        dataset=dataset.name,
        classes=dataset.classes,
        learning_rate=task.recipe.learning_rate,
        steps=steps,
        looks=looks,
        checkpoints=tuple(dict.fromkeys(curve)) if purpose == "own" else (steps,),
        entrants=tuple(each.candidate_id for each in entrants),
        purpose=purpose,
    )
    trained = task.on(dataset)
    is_known = is_known_by_name(task.name) and stage.trained.digest == trained.digest
    return stage if is_known else replace(stage, definition=trained.to_json())
