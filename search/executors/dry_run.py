"""Tries tasks before anything is searched: loads, builds and takes one step in a worker."""

from __future__ import annotations

from dataclasses import replace

from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import Task, TaskError, is_as_known_by_name, shipped_tasks
from grammars import parse
from search.executors.delivery import LostBatchError
from search.executors.executor import WorkersUnusableError, Workload
from search.executors.worker_pool import WorkerPool


def dry_run(workload: Workload, *, timeout_seconds: float, memory_gib: float) -> None:
    """Evaluates ReLU for one step on tasks of a user's own; shipped tasks are known to work.

    Args:
        workload: With the tasks.
        timeout_seconds: What it may take, beside starting a worker and compiling.
        memory_gib: What the worker may allocate.

    Raises:
        TaskError: If one does not work; the message is a sentence.
    """
    own = [number for number, task in enumerate(workload.tasks) if not _is_shipped(task)]
    if not own:
        return
    limited = replace(
        workload, timeout_seconds=timeout_seconds, memory_gib=memory_gib, states_folder=None
    )
    with WorkerPool(limited, workers=1) as pool:
        for number in own:
            task = workload.tasks[number]
            try:
                (evaluation,) = pool.submit(
                    [parse("relu")], Fidelity(1, (0,), task=number)
                ).result()
            except LostBatchError as loss:
                raise TaskError(_sentence(task, loss.reason)) from None
            except WorkersUnusableError as error:
                raise TaskError(_sentence(task, str(error))) from None
            if evaluation.outcome is Outcome.FAILED:
                raise TaskError(_sentence(task, str(evaluation.reason)))


def _is_shipped(task: Task) -> bool:
    """Whether it is a shipped task of now or of old, maybe under another schedule."""
    return is_as_known_by_name(task) or any(
        replace(task, recipe=replace(task.recipe, schedule=shipped.recipe.schedule)).digest
        == shipped.digest
        for shipped in shipped_tasks().values()
    )


def _sentence(task: Task, reason: str) -> str:
    places = [function.place for function in task.functions]
    what = places[0] if places else f"the task {task.name!r}"
    told = reason.removeprefix("a worker could not get ready: ").removeprefix("ValueError: ")
    told = told.removeprefix("NetworkError: ")
    is_told = any(place.partition(", line")[0] in told for place in places)
    return told if is_told else f"{what} does not work with relu for one step: {told}"
