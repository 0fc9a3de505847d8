"""Trainings of several fidelities, all under way at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from queue import SimpleQueue

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.executor import Executor, Interrupted, Stopping

Asked = tuple[Fidelity, Sequence[Activation]]
"""What is trained, and how."""

_Arrivals = SimpleQueue[list[Evaluation] | Exception | None]


def trained_at_once(
    executor: Executor, asked: Sequence[Asked], *, stopping: Stopping
) -> Iterator[tuple[Fidelity, list[Evaluation]]]:
    """Yields batches in the order of what is asked for, however they arrive.

    A worker that has nothing more to do on one task or at one learning rate so begins with the
    next, where one or two functions at each would leave most of them idle.

    Args:
        executor: Does the training.
        asked: What to train.
        stopping: Ends it after the running batches.

    Raises:
        Interrupted: Once `stopping` is set and all that was trained by then is delivered.
        WorkersUnusableError: As `Executor.evaluate`.
    """
    interrupted: Interrupted | None = None
    waiting = [(fidelity, _begun(executor, fidelity, some, stopping)) for fidelity, some in asked]
    for fidelity, arrivals in waiting:
        while isinstance(arrived := arrivals.get(), list):
            yield fidelity, arrived
        if isinstance(arrived, Interrupted):
            interrupted = arrived
        elif arrived is not None:
            raise arrived
    if interrupted is not None:
        raise interrupted


def _begun(
    executor: Executor, fidelity: Fidelity, some: Sequence[Activation], stopping: Stopping
) -> _Arrivals:
    arrivals: _Arrivals = SimpleQueue()

    def run() -> None:
        try:
            for batch in executor.evaluate(some, fidelity, stopping=stopping):
                arrivals.put(batch)
        except Exception as error:  # raised where the evaluations are wanted
            arrivals.put(error)
        else:
            arrivals.put(None)

    # A daemon: a program that is told to end at once waits for no training.
    threading.Thread(target=run, name=f"training {fidelity}", daemon=True).start()
    return arrivals
