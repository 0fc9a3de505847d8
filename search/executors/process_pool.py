"""The executor of a campaign on one machine: one single-threaded worker process a core."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.delivery import Delivery
from search.executors.executor import DEFAULT_MEMORY_GIB, Stopping, Workload
from search.executors.worker_pool import WorkerPool


class ProcessPool:
    """Worker processes whose hanging or dying costs nobody else a result.

    A candidate that trains too slowly stops by itself, at its time-out; one whose compiler hangs
    is ended by its worker's alarm; one that needs too much memory ends its worker. See `Delivery`
    for what becomes of its batch.
    """

    def __init__(
        self,
        workload: Workload,
        *,
        workers: int,
        batch: int,
        timeout_seconds: float,
        memory_gib: float = DEFAULT_MEMORY_GIB,
    ) -> None:
        """Starts the pool; its workers start with their first batch.

        Args:
            workload: What to train on. Unless it names a folder for training states, they are
                kept in a temporary one that goes with the pool.
            workers: Number of processes.
            batch: Candidates that are compiled together, at most.
            timeout_seconds: What one candidate may take for each seed.
            memory_gib: What each worker may allocate, in GiB.
        """
        self._states = tempfile.TemporaryDirectory(prefix="actsearch-states-")
        workload = replace(
            workload,
            timeout_seconds=timeout_seconds,
            memory_gib=memory_gib,
            states_folder=workload.states_folder or Path(self._states.name),
        )
        self._pool = WorkerPool(workload, workers=workers)
        self._delivery = Delivery(self._pool, benches=workload.benches, batch=batch)

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        """See `Executor.evaluate`."""
        return self._delivery.evaluate(expressions, fidelity, stopping=stopping)

    def abandon(self) -> None:
        """See `Executor.abandon`; the workers end when the executor is closed."""
        self._delivery.abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)
        self._states.cleanup()
