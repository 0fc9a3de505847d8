"""What runs inside a worker process: one evaluator, within its limits of time and memory."""

from __future__ import annotations

import math
import multiprocessing
import os
import resource
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from evaluators.datasets import DataError
from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.reading.functions import UserCodeError
from evaluators.training.clock import awake_seconds, works_on_processor
from grammars import parse_activation
from search.executors.executor import Evaluators, Workload

OUT_OF_MEMORY: Final = 77
"""Exit status of a worker that could not get the memory it asked for."""

OUT_OF_TIME: Final = signal.SIGPROF
"""What ends a worker that has worked for longer than it was allowed to."""

IDLE: Final = signal.SIGALRM
"""What ends a worker that was allowed to work, and hangs: nothing says whose fault that is."""

# A worker that has to share its processor with so many others is no idle one yet.
STARVATION: Final = 10.0

_LOOK_SECONDS: Final = 0.5

# Linux tells sizes of a process in pages; the sixth is that of its data and stack.
_STATM: Final = Path("/proc/self/statm")


@dataclass(frozen=True)
class Answer:
    """What became of a batch.

    Attributes:
        evaluations: One a candidate; empty where there is a reason.
        reason: The error that the batch raised.
        unusable: Why this worker can evaluate nothing at all.
        is_worn: Whether the worker is short of memory, and another one should take the next batch.
    """

    evaluations: list[Evaluation] = field(default_factory=list)
    reason: str | None = None
    unusable: str | None = None
    is_worn: bool = False


def serve(pipe: Connection[Answer, tuple[list[str], Fidelity]], workload: Workload) -> None:
    """The life of a worker: batches come as text and go as records until the pipe is closed."""
    _end_with_the_owner()
    _print_nothing()
    _take_signals()
    wear = _Wear(_limit_memory(workload.memory_gib))
    allowance = _Allowance()
    try:
        evaluators: Evaluators | Exception = Evaluators(workload, allow=allowance)
    except Exception as error:  # said with the first batch, since another worker would fare alike
        evaluators = error
    with suppress(EOFError, ConnectionError):  # nobody is there to be answered any more
        while True:
            texts, fidelity = pipe.recv()
            answer = _answered(evaluators, texts, fidelity)
            allowance.end()
            pipe.send(replace(answer, is_worn=wear.is_great()))


def _answered(evaluators: Evaluators | Exception, texts: list[str], fidelity: Fidelity) -> Answer:
    if isinstance(evaluators, Exception):
        return _unusable(evaluators)
    try:
        return Answer(evaluators.evaluate([parse_activation(text) for text in texts], fidelity))
    except Exception as error:
        if _is_want_of_memory(error):
            # What is left of this process may be short of memory for the next candidate too.
            os._exit(OUT_OF_MEMORY)
        if isinstance(error.__cause__, ModuleNotFoundError):
            # A user's file may find it on some nodes of a cluster only: no candidate is to blame.
            return _unusable(error)
        return Answer(reason=_told(error)[:500])


def _unusable(error: Exception) -> Answer:
    return Answer(unusable=f"a worker could not get ready: {_told(error)}")


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


def _print_nothing() -> None:
    """Standard output is the command's; what a user's code and its programs print is dropped."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _take_signals() -> None:
    # Ctrl-C and a terminal that is closed reach the whole process group, and a scheduler's SIGTERM
    # often all processes: the campaign decides what happens to its workers.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # An alarm ends a process whatever it is doing: compiling, for one, never looks up.
    for number in (OUT_OF_TIME, IDLE):
        signal.signal(number, signal.SIG_DFL)


def _limit_memory(gib: float) -> float:
    """Bounds what the process may allocate; mapped data files and shared memory don't count.

    Returns:
        The bound in bytes.
    """
    if not math.isfinite(gib):
        return math.inf
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(gib * 2**30)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    return soft


class _Wear:
    """Compiled programs leave traces: told early, nobody's batch meets the end of the memory.

    LLVM, for one, ends the whole process there, and says so on the terminal.
    """

    def __init__(self, bound: float) -> None:
        self._bound = bound
        self._enough: float | None = None

    def is_great(self) -> bool:
        """Whether half of what the first batch left is used up."""
        used = _allocated()
        if self._enough is None:
            self._enough = (used + self._bound) / 2
        return used > self._enough


def _allocated() -> float:
    """Bytes that count against the bound; 0 where the system does not tell."""
    with suppress(OSError):
        return int(_STATM.read_text().split()[5]) * resource.getpagesize()
    return 0.0


class _Allowance:
    """Lets this process be ended once it has worked for so long, unless told otherwise before.

    The alarm of its processor time ends a process whatever it is doing, and not for the time in
    which it was stopped or others had its processor. A process that uses none, or that waits for an
    accelerator, is watched by a thread.
    """

    def __init__(self) -> None:
        self._end = math.inf
        self._thread: threading.Thread | None = None

    def __call__(self, seconds: float) -> None:
        """Allows so many seconds from now."""
        patience = 1.0
        if works_on_processor():
            signal.setitimer(signal.ITIMER_PROF, seconds if math.isfinite(seconds) else 0.0)
            patience = STARVATION
        self._end = awake_seconds() + patience * seconds
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="allowance", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Allows any time at all: the work is done."""
        self._end = math.inf
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _watch(self) -> None:
        while awake_seconds() <= self._end:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), IDLE)


def _is_want_of_memory(error: Exception) -> bool:
    # XLA's error has no class of its own.
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
