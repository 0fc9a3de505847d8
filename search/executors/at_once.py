"""Trainings of several fidelities, all under way at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation, activation_id
from search.executors.executor import Executor, Interrupted, Stopping

Asked = tuple[Fidelity, Sequence[Activation]]
"""What is trained, and how."""

_Arrivals = SimpleQueue[list[Evaluation] | Exception | None]


@dataclass(frozen=True)
class Memory:
    """Where single trainings are kept.

    Attributes:
        key: Of the training of a function, by its id.
        find: What a key stands for, if it is known.
        keep: Makes trainings durable, by their keys.
    """

    key: Callable[[str, Fidelity], str]
    find: Callable[[str], Evaluation | None]
    keep: Callable[[Mapping[str, Evaluation]], None]


def remembered_at_once(
    asked: Sequence[Asked],
    *,
    memory: Memory,
    executor: Callable[[], Executor],
    stopping: Stopping,
) -> list[list[Evaluation]]:
    """One training of each function that is asked for, durable by then.

    Args:
        asked: What to train, and how; equal functions are trained once.
        memory: What is in it is not trained again.
        executor: Gives what trains the others; not called where there are none.
        stopping: See `trained_at_once`.

    Raises:
        Interrupted, WorkersUnusableError: See `trained_at_once`.
    """
    keys = [[memory.key(activation_id(f), how) for f in some] for how, some in asked]
    found = {key: memory.find(key) for each in keys for key in each}
    missing: list[Asked] = []
    for (how, some), own in zip(asked, keys, strict=True):
        unknown = {key: f for key, f in zip(own, some, strict=True) if found[key] is None}
        if unknown:
            missing.append((how, list(unknown.values())))
    if missing:
        for how, batch in trained_at_once(executor(), missing, stopping=stopping):
            trainings = {memory.key(each.candidate_id, how): each for each in batch}
            memory.keep(trainings)
            found |= trainings
    return [[each for key in own if (each := found[key])] for own in keys]


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
