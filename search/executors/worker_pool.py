"""Worker processes, each of which may hang or die without harm to the others or to their owner."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, Self

import pebble

from evaluators.evaluation import Evaluation
from evaluators.evaluator import compiling_allowance
from evaluators.fidelity import Fidelity
from grammars import Expression
from search.executors import worker
from search.executors.delivery import LostBatchError
from search.executors.executor import WorkersUnusableError, Workload, use_single_thread

# A worker starts anew after so many batches: compiled programs leave traces in memory.
BATCHES_PER_WORKER: Final = 50

# Starting a worker and loading its data counts against its first batch.
STARTING_SECONDS: Final = 60.0


class WorkerPool:
    """Single-threaded processes on this machine; they start with their first batch."""

    def __init__(self, workload: Workload, *, workers: int) -> None:
        """Starts the pool.

        Args:
            workload: What each worker is to get ready for, with its limits.
            workers: Number of processes.
        """
        use_single_thread()
        self.workers = workers
        self._workload = workload
        context = multiprocessing.get_context("forkserver")
        # The server imports JAX once; a worker forked from it starts in a quarter of a second.
        context.set_forkserver_preload(["evaluators.training", "search.executors.worker"])
        self._pool = pebble.ProcessPool(
            max_workers=workers,
            max_tasks=BATCHES_PER_WORKER,
            initializer=worker.start,
            initargs=[workload],
            context=context,
        )

    def submit(
        self, expressions: Sequence[Expression], fidelity: Fidelity
    ) -> Future[list[Evaluation]]:
        """Hands a batch to the next free worker.

        Returns:
            The batch's evaluations, or a `LostBatchError`.
        """
        running = self._pool.schedule(
            worker.evaluate_batch,
            args=[[str(expression) for expression in expressions], fidelity],
            timeout=self._last_resort_seconds(len(expressions), fidelity),
        )
        explained: Future[list[Evaluation]] = Future()
        running.add_done_callback(lambda done: self._explain(done, explained))
        return explained

    def _last_resort_seconds(self, count: int, fidelity: Fidelity) -> float:
        """Beyond it a batch is given up even if its worker's own alarm did not ring."""
        seconds = self._workload.timeout_seconds
        training = seconds * count * len(fidelity.seeds)
        return STARTING_SECONDS + compiling_allowance(count, seconds) + training

    def _explain(self, done: Future[list[Evaluation]], explained: Future[list[Evaluation]]) -> None:
        if done.cancelled():
            explained.cancel()
            return
        error = done.exception()
        if error is None:
            explained.set_result(done.result())
        elif isinstance(error, WorkersUnusableError):
            explained.set_exception(error)
        else:
            explained.set_exception(self._loss(error))

    def _loss(self, error: BaseException) -> LostBatchError:
        if isinstance(error, TimeoutError):
            return LostBatchError(self._out_of_time(), is_certain=True)
        if not isinstance(error, pebble.ProcessExpired):
            first_line = str(error).strip().splitlines()[:1]
            reason = f"{type(error).__name__}: {first_line[0] if first_line else ''}"[:500]
            return LostBatchError(reason, is_certain=True)
        if error.exitcode == -signal.SIGALRM:
            return LostBatchError(self._out_of_time(), is_certain=True)
        if error.exitcode == worker.OUT_OF_MEMORY:
            return LostBatchError(f"it needs more than {self._workload.memory_gib:g} GiB of memory")
        return LostBatchError(f"its worker died ({_described(error.exitcode)})")

    def _out_of_time(self) -> str:
        return f"it did not end in time ({self._workload.timeout_seconds:g} s a seed)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.stop()
        self._pool.join()


def _described(exit_status: int) -> str:
    """An exit status in words; a negative one is the number of a signal."""
    if exit_status >= 0:
        return f"exit status {exit_status}"
    try:
        return signal.Signals(-exit_status).name
    except ValueError:
        return f"signal {-exit_status}"
