"""Worker processes, each of which may hang or die without harm to the others or to their owner."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Final, Self

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.training.clock import awake_seconds
from evaluators.training.trainers import compiling_allowance
from grammars import Activation
from search.executors import worker
from search.executors.delivery import LostBatchError
from search.executors.executor import WorkersUnusableError, Workload, use_single_thread
from search.executors.familiar import Familiar
from search.executors.worker_process import WorkerProcess

# A worker starts anew after it has compiled for so many batches, since programs leave traces, and
# sooner where it says that its memory goes.
BATCHES_PER_WORKER: Final = 50

# How often waiting for a worker looks at the clock.
_LOOK_SECONDS: Final = 10.0

# Starting a worker and loading its data counts against its first batch.
STARTING_SECONDS: Final = 60.0


class _Worker:
    """A process and the pipe to it, whose other end nobody else holds: it ends with the process."""

    def __init__(self, workload: Workload) -> None:
        ours, theirs = multiprocessing.Pipe()
        self._pipe: Connection[object, worker.Answer] = ours
        self._process = WorkerProcess(
            target=worker.serve, args=(theirs, workload), name="actsearch-worker", daemon=True
        )
        self._process.start()
        theirs.close()
        self._compiled = 0
        self._is_worn = False
        self.familiar = Familiar()

    @property
    def is_fit(self) -> bool:
        """Whether it may take another batch."""
        is_worn = self._is_worn or self._compiled >= BATCHES_PER_WORKER
        return not is_worn and self._process.is_alive()

    def ask(self, texts: list[str], fidelity: Fidelity, *, seconds: float) -> worker.Answer:
        """Has a batch evaluated.

        Raises:
            TimeoutError: If it took longer, pauses left out; the worker is of no more use.
            EOFError, OSError: If the worker died.
        """
        self._compiled += self.familiar.add(texts)
        self._pipe.send((texts, fidelity))
        end = awake_seconds() + seconds
        while not self._pipe.poll(_LOOK_SECONDS):
            if awake_seconds() > end:
                raise TimeoutError
        answer = self._pipe.recv()
        self._is_worn = answer.is_worn
        return answer

    def kill(self) -> None:
        """Ends the process, whatever it is doing."""
        self._process.kill()

    def end(self) -> int:
        """Ends the process and lets go of it; its exit status, its own if it had ended before."""
        self._process.kill()
        self._process.join()
        self._pipe.close()
        status = self._process.exitcode
        return 0 if status is None else status


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
        # A thread for each worker waits for it; None where the worker is still to be started.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")
        self._idle: list[_Worker | None] = [None] * workers
        self._choosing = threading.Lock()
        self._living: set[_Worker] = set()
        self._starting = threading.Lock()
        self._is_closed = False

    def submit(
        self, expressions: Sequence[Activation], fidelity: Fidelity
    ) -> Future[list[Evaluation]]:
        """Hands a batch to a free worker, rather to one that has compiled most of it lately.

        Returns:
            The batch's evaluations, or a `LostBatchError`.
        """
        return self._threads.submit(self._evaluate, [str(each) for each in expressions], fidelity)

    def _evaluate(self, texts: list[str], fidelity: Fidelity) -> list[Evaluation]:
        idle = self._most_familiar(texts)
        try:
            idle = self._fit(idle)
            answer = self._answer(idle, texts, fidelity)
        except LostBatchError:
            idle = None
            raise
        finally:
            with self._choosing:
                self._idle.append(idle)
        if answer.unusable is not None:
            raise WorkersUnusableError(answer.unusable)
        if answer.reason is not None:
            raise LostBatchError(answer.reason, is_certain=True)
        return answer.evaluations

    def _most_familiar(self, texts: list[str]) -> _Worker | None:
        # There are as many threads as workers: whoever asks finds an idle one.
        with self._choosing:
            chosen = max(self._idle, key=lambda each: each.familiar.among(texts) if each else 0)
            self._idle.remove(chosen)
        return chosen

    def _answer(self, asked: _Worker, texts: list[str], fidelity: Fidelity) -> worker.Answer:
        seconds = self._last_resort_seconds(len(texts), fidelity)
        try:
            return asked.ask(texts, fidelity, seconds=seconds)
        except TimeoutError:
            self._end(asked)
            raise LostBatchError(self._out_of_time()) from None
        except (EOFError, OSError):
            raise self._loss(self._end(asked)) from None

    def _fit(self, idle: _Worker | None) -> _Worker:
        """The worker, or a fresh one in its place."""
        if idle is not None and idle.is_fit:
            return idle
        if idle is not None:
            self._end(idle)
        with self._starting:
            if self._is_closed:
                raise LostBatchError("the pool was closed", is_certain=True)
            try:
                fresh = _Worker(self._workload)
            except (EOFError, ConnectionError):  # a signal to all processes found it unprepared
                raise LostBatchError("its worker died as it started") from None
            self._living.add(fresh)
        return fresh

    def _end(self, ended: _Worker) -> int:
        with self._starting:
            self._living.discard(ended)
            return ended.end()

    def _last_resort_seconds(self, count: int, fidelity: Fidelity) -> float:
        """Beyond it a batch is given up even if its worker did not end itself."""
        seconds = self._workload.timeout_seconds
        training = seconds * count * len(fidelity.seeds)
        return STARTING_SECONDS + compiling_allowance(count, seconds) + training

    def _loss(self, status: int) -> LostBatchError:
        if status in (-worker.OUT_OF_TIME, -worker.IDLE):
            is_certain = status == -worker.OUT_OF_TIME
            return LostBatchError(self._out_of_time(), is_certain=is_certain)
        if status == worker.OUT_OF_MEMORY:
            return LostBatchError(f"it needs more than {self._workload.memory_gib:g} GiB of memory")
        return LostBatchError(f"its worker died ({_described(status)})")

    def _out_of_time(self) -> str:
        return f"it did not end in time ({self._workload.timeout_seconds:g} s a seed)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Ends all workers at once, whatever they are doing."""
        with self._starting:
            self._is_closed = True
            living = list(self._living)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for each in living:
            each.kill()
        # Whoever waits for a worker sees its end now.
        self._threads.shutdown(wait=True)
        for each in living:
            each.end()


def _described(exit_status: int) -> str:
    """An exit status in words; a negative one is the number of a signal."""
    if exit_status >= 0:
        return f"exit status {exit_status}"
    try:
        return signal.Signals(-exit_status).name
    except ValueError:
        return f"signal {-exit_status}"
