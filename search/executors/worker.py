"""What runs inside a worker process: one evaluator, within its limits of time and memory."""

from __future__ import annotations

import math
import multiprocessing
import os
import resource
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from evaluators.datasets import DataError
from evaluators.evaluation import Evaluation
from evaluators.fidelity import Fidelity
from evaluators.functions import UserCodeError
from grammars import parse_activation
from search.executors.executor import Evaluators, Workload

OUT_OF_MEMORY: Final = 77
"""Exit status of a worker that could not get the memory it asked for."""


@dataclass(frozen=True)
class Answer:
    """What became of a batch.

    Attributes:
        evaluations: One a candidate; empty where there is a reason.
        reason: The error that the batch raised.
        unusable: Why this worker can evaluate nothing at all.
    """

    evaluations: list[Evaluation] = field(default_factory=list)
    reason: str | None = None
    unusable: str | None = None


def serve(pipe: Connection[Answer, tuple[list[str], Fidelity]], workload: Workload) -> None:
    """The life of a worker: batches come as text and go as records until the pipe is closed."""
    _end_with_the_owner()
    _take_signals()
    _limit_memory(workload.memory_gib)
    try:
        evaluators: Evaluators | Exception = Evaluators(workload, allow=_end_after)
    except Exception as error:  # said with the first batch, since another worker would fare alike
        evaluators = error
    with suppress(EOFError, ConnectionError):  # nobody is there to be answered any more
        while True:
            texts, fidelity = pipe.recv()
            pipe.send(_answered(evaluators, texts, fidelity))


def _answered(evaluators: Evaluators | Exception, texts: list[str], fidelity: Fidelity) -> Answer:
    if isinstance(evaluators, Exception):
        return Answer(unusable=f"a worker could not get ready: {_told(evaluators)}")
    try:
        return Answer(evaluators.evaluate([parse_activation(text) for text in texts], fidelity))
    except Exception as error:
        if _is_want_of_memory(error):
            # What is left of this process may be short of memory for the next candidate too.
            os._exit(OUT_OF_MEMORY)
        return Answer(reason=_told(error)[:500])
    finally:
        _end_after(math.inf)


def _told(error: Exception) -> str:
    """The error in a line; of a user's code it is a sentence already."""
    first_line = str(error).strip().partition("\n")[0]
    if isinstance(error, UserCodeError | DataError):
        return first_line
    return f"{type(error).__name__}: {first_line}"


def _end_with_the_owner() -> None:
    """A worker whose campaign was killed must not live on, however long its batch would take."""
    owner = multiprocessing.parent_process()
    if owner is not None:
        threading.Thread(target=_outlive_nobody, args=[owner], daemon=True).start()


def _outlive_nobody(owner: BaseProcess) -> None:
    owner.join()
    os._exit(0)


def _take_signals() -> None:
    # Ctrl-C and a terminal that is closed reach the whole process group, and a scheduler's SIGTERM
    # often all processes: the campaign decides what happens to its workers.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The alarm ends a process whatever it is doing: compiling, for one, never looks up.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _limit_memory(gib: float) -> None:
    """Bounds what the process may allocate; mapped data files and shared memory don't count."""
    if math.isfinite(gib):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = int(gib * 2**30)
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _end_after(seconds: float) -> None:
    """Lets the system end this process unless told otherwise before."""
    signal.setitimer(signal.ITIMER_REAL, seconds if math.isfinite(seconds) else 0.0)


def _is_want_of_memory(error: Exception) -> bool:
    # XLA's error has no class of its own.
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
