"""Tries a task before anything is searched: loads, builds and takes one step in a worker."""

from __future__ import annotations

from dataclasses import replace

from evaluators.evaluation import Outcome
from evaluators.fidelity import Fidelity
from evaluators.tasks import TaskError, shipped_tasks
from grammars import parse
from search.executors.delivery import LostBatchError
from search.executors.executor import WorkersUnusableError, Workload
from search.executors.worker_pool import WorkerPool

_ONE_STEP = Fidelity(1, (0,))


def dry_run(workload: Workload, *, timeout_seconds: float, memory_gib: float) -> None:
    """Evaluates ReLU for one step on a task of a user's own; shipped tasks are known to work.

    Args:
        workload: With the task.
        timeout_seconds: What it may take, beside starting a worker and compiling.
        memory_gib: What the worker may allocate.

    Raises:
        TaskError: If it does not work; the message is a sentence.
    """
    task = workload.task
    if any(task.digest == shipped.digest for shipped in shipped_tasks().values()):
        return
    limited = replace(
        workload, timeout_seconds=timeout_seconds, memory_gib=memory_gib, states_folder=None
    )
    with WorkerPool(limited, workers=1) as pool:
        try:
            (evaluation,) = pool.submit([parse("relu")], _ONE_STEP).result()
        except LostBatchError as loss:
            raise TaskError(_sentence(workload, loss.reason)) from None
        except WorkersUnusableError as error:
            raise TaskError(_sentence(workload, str(error))) from None
    if evaluation.outcome is Outcome.FAILED:
        raise TaskError(_sentence(workload, str(evaluation.reason)))


def _sentence(workload: Workload, reason: str) -> str:
    objective = workload.task.objective
    what = f"the task {workload.task.name!r}" if objective is None else objective.function.place
    told = reason.removeprefix("ValueError: ")
    return told if what in told else f"{what} does not work with relu for one step: {told}"
