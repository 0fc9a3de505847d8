"""One single-threaded worker process a core, each of which may hang or die alone."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

import pebble

from evaluators.evaluation import Evaluation, Outcome
from evaluators.evaluator import Evaluator
from evaluators.fidelity import Fidelity
from grammars import Expression, parse
from search.executors.executor import Interrupted, Workload, split, use_single_thread

# A worker starts anew after so many batches: compiled programs leave traces in memory.
BATCHES_PER_WORKER: Final = 50

# Starting a worker and loading its data counts against its first batch.
STARTING_SECONDS: Final = 60.0

_PR_SET_PDEATHSIG: Final = 1

_evaluator: Evaluator | None = None


def _start_worker(workload: Workload) -> None:
    """Runs once in each worker."""
    global _evaluator  # noqa: PLW0603  # a worker is a process with exactly one evaluator
    # Ctrl-C reaches the whole process group; the campaign decides what happens to its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # A worker whose campaign was killed must not live on.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _evaluator = workload.evaluator()


def _evaluate_batch(texts: list[str], fidelity: Fidelity) -> list[Evaluation]:
    """Runs in a worker, which receives text and returns records."""
    assert _evaluator is not None
    return _evaluator.evaluate([parse(text) for text in texts], fidelity)


class ProcessPool:
    """The executor of a campaign on one machine.

    A candidate that trains too slowly stops by itself, at its time-out. A batch whose worker dies,
    or takes longer than its candidates' time-outs together since its compiler hangs, is evaluated
    again one candidate at a time, so that only the culprit is recorded as failed.
    """

    def __init__(
        self, workload: Workload, *, workers: int, batch: int, timeout_seconds: float
    ) -> None:
        """Starts the pool; its workers start with their first batch.

        Args:
            workload: What to train on. Unless it names a folder for training states, they are
                kept in a temporary one that goes with the pool.
            workers: Number of processes.
            batch: Candidates that are compiled together, at most.
            timeout_seconds: What one candidate may take for each seed.
        """
        use_single_thread()
        self._states = tempfile.TemporaryDirectory(prefix="actsearch-states-")
        workload = replace(
            workload,
            timeout_seconds=timeout_seconds,
            states_folder=workload.states_folder or Path(self._states.name),
        )
        self._workload, self._workers, self._batch = workload, workers, batch
        self._timeout_seconds = timeout_seconds
        context = multiprocessing.get_context("forkserver")
        # The server imports JAX once; a worker forked from it starts in a quarter of a second.
        context.set_forkserver_preload(["evaluators.training", "search.executors.process_pool"])
        self._pool = pebble.ProcessPool(
            max_workers=workers,
            max_tasks=BATCHES_PER_WORKER,
            initializer=_start_worker,
            initargs=[workload],
            context=context,
        )

    def evaluate(
        self, expressions: Sequence[Expression], fidelity: Fidelity, *, stopping: threading.Event
    ) -> Iterator[list[Evaluation]]:
        """See `Executor.evaluate`."""
        waiting = deque(split(expressions, batch=self._batch, workers=self._workers))
        # In the order of submission, which is that of delivery.
        submitted: deque[tuple[list[Expression], Future[list[Evaluation]]]] = deque()
        while waiting or submitted:
            if stopping.is_set():
                waiting.clear()
                if not submitted:
                    raise Interrupted
            while waiting and self._running(submitted) < self._workers:
                group = waiting.popleft()
                submitted.append((group, self._submit(group, fidelity)))
            running = [future for _, future in submitted if not future.done()]
            wait(running, return_when=FIRST_COMPLETED)
            while submitted and submitted[0][1].done():
                group, future = submitted.popleft()
                yield self._result(group, future, fidelity)
        if stopping.is_set():
            raise Interrupted

    @staticmethod
    def _running(submitted: deque[tuple[list[Expression], Future[list[Evaluation]]]]) -> int:
        return sum(not future.done() for _, future in submitted)

    def _submit(self, group: list[Expression], fidelity: Fidelity) -> Future[list[Evaluation]]:
        future: Future[list[Evaluation]] = self._pool.schedule(
            _evaluate_batch,
            args=[[str(expression) for expression in group], fidelity],
            timeout=STARTING_SECONDS + self._timeout_seconds * len(group) * len(fidelity.seeds),
        )
        return future

    def _result(
        self, group: list[Expression], future: Future[list[Evaluation]], fidelity: Fidelity
    ) -> list[Evaluation]:
        """The batch's evaluations; where it failed, those of its members one by one."""
        try:
            return future.result()
        except Exception as error:
            if len(group) > 1:
                return [
                    evaluation
                    for expression in group
                    for evaluation in self._result(
                        [expression], self._submit([expression], fidelity), fidelity
                    )
                ]
            reason = self._reason(error)
            return [self._workload.bench.record(group[0], fidelity, Outcome.FAILED, reason=reason)]

    def _reason(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"it took longer than {self._timeout_seconds:g} s a seed"
        if isinstance(error, pebble.ProcessExpired):
            return f"its worker died ({error})"
        first_line = str(error).strip().splitlines()[:1]
        return f"{type(error).__name__}: {first_line[0] if first_line else ''}"[:500]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.stop()
        self._pool.join()
        self._states.cleanup()
