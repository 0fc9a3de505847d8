"""What the campaign asks of every executor."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol, Self

from evaluators.datasets import load, load_test
from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench, Evaluator
from evaluators.objective_evaluator import ObjectiveEvaluator
from evaluators.tasks import Task
from grammars import Activation

# XLA shares no threads between workers: one single-threaded process a core is faster than one
# process with all cores, and its results don't depend on how many there are.
_SINGLE_THREADED = {
    # The flag binds Eigen's products only; PJRT_NPROC binds all of XLA's, and its compiler.
    # Splitting the compiler's work costs a twelfth more of it, and brings nothing to one thread.
    "XLA_FLAGS": ("--xla_cpu_multi_thread_eigen=false --xla_cpu_parallel_codegen_split_count=1"),
    "PJRT_NPROC": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Where JAX finds a GPU, the first worker would take three quarters of its memory.
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}


DEFAULT_MEMORY_GIB: Final = 4.0
"""Of a worker. With programs of 32 candidates on MNIST it takes 0.8, with those of 64 0.9."""


AnyEvaluator = Evaluator | ObjectiveEvaluator
"""What lives in a worker."""


class WorkersUnusableError(RuntimeError):
    """Nothing can be evaluated here, whichever the candidate."""


class Interrupted(Exception):  # noqa: N818
    """Evaluating stopped on request; what was finished has been delivered."""


@dataclass(frozen=True)
class Workload:
    """What a worker needs to know before its first batch.

    Attributes:
        task: What to train, by value: nothing looks a task up in a worker.
        timeout_seconds: What one candidate's training may take for each seed.
        memory_gib: What a worker may allocate, in GiB.
        states_folder: Where training states are kept from one rung to the next, None for nowhere.
        highest: The last rung's fidelity, None where there are no rungs; see `Evaluator`.
        others: Further tasks that the same workers train: a fidelity names its task by number, of
            which `task` has 0.
        split: On which a trained network is scored. With "test" the test split takes the place of
            the validation split, for finals only: training is the same to the bit.
    """

    task: Task
    timeout_seconds: float = math.inf
    memory_gib: float = math.inf
    states_folder: Path | None = None
    highest: Fidelity | None = None
    others: tuple[Task, ...] = ()
    split: Literal["validation", "test"] = "validation"

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All of them, by number."""
        return (self.task, *self.others)

    @property
    def bench(self) -> Bench:
        """Task and data set as they stand in evaluations."""
        return self.benches[0]

    @property
    def benches(self) -> tuple[Bench, ...]:
        """Of each task."""
        return tuple(Bench(task.name, task.data.name) for task in self.tasks)

    def evaluator(
        self, number: int = 0, *, allow: Callable[[float], None] = lambda seconds: None
    ) -> AnyEvaluator:
        """Loads the data and builds the evaluator; done once for each task in each worker.

        Args:
            number: Of the task; by default the first.
            allow: See `Evaluator`.
        """
        task = self.tasks[number]
        if task.objective is not None:
            return ObjectiveEvaluator(
                task.objective,
                self.benches[number],
                timeout_seconds=self.timeout_seconds,
                highest=self.highest,
                split=self.split,
                allow=allow,
            )
        dataset = load(task.data)
        if self.split == "test":
            dataset = replace(dataset, validation=load_test(task.data))
        return Evaluator(
            task,
            dataset,
            timeout_seconds=self.timeout_seconds,
            states_folder=self.states_folder,
            highest=self.highest,
            allow=allow,
        )


class Stopping(Protocol):
    """Says whether to stop; an event does."""

    def is_set(self) -> bool:
        """Whether nothing further is to be begun."""
        ...


class Evaluators:
    """The evaluators of a worker, one for each task that it was ever asked for."""

    def __init__(
        self, workload: Workload, *, allow: Callable[[float], None] = lambda seconds: None
    ) -> None:
        """Gets ready for the first task."""
        self._workload, self._allow = workload, allow
        self._ready = {0: workload.evaluator(allow=allow)}

    def evaluate(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Evaluation]:
        """See `Evaluator.evaluate`; on the fidelity's task."""
        number = fidelity.task
        if number not in self._ready:
            self._ready[number] = self._workload.evaluator(number, allow=self._allow)
        return self._ready[number].evaluate(candidates, fidelity)


class Executor(Protocol):
    """Evaluates batches somewhere; owns processes or connections until it is closed."""

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        """Yields evaluations batch by batch, together one for each expression and in their order.

        Candidates that can't be evaluated come back as failed, with the reason; they never take
        others with them. Several calls may be under way at a time, each in its own thread.

        Raises:
            Interrupted: Once `stopping` is set and the running batches are delivered.
        """
        ...

    def abandon(self) -> None:
        """Gives up the running batches: evaluating is interrupted without their results.

        May be called from any thread; where batches cannot be given up, nothing happens.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def use_single_thread() -> None:
    """Makes this process, and those that it starts, compute with one thread.

    Only has an effect before JAX is initialised.
    """
    os.environ.update(_SINGLE_THREADED)


def split(expressions: Sequence[Activation], *, batch: int, workers: int) -> list[list[Activation]]:
    """Cuts expressions into batches of at most `batch`, equally many for each worker."""
    rounds = max(1, math.ceil(len(expressions) / (batch * workers)))
    size = max(1, math.ceil(len(expressions) / (rounds * workers)))
    return [list(expressions[i : i + size]) for i in range(0, len(expressions), size)]
