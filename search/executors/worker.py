"""What runs inside a worker process: one evaluator, within its limits of time and memory."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from typing import Final

from evaluators.evaluation import Evaluation
from evaluators.evaluator import Evaluator
from evaluators.fidelity import Fidelity
from grammars import parse
from search.executors.executor import WorkersUnusableError, Workload

OUT_OF_MEMORY: Final = 77
"""Exit status of a worker that could not get the memory it asked for."""

_PR_SET_PDEATHSIG: Final = 1

# One evaluator a process: or what kept the worker from making it.
_evaluator: Evaluator | Exception | None = None


def start(workload: Workload) -> None:
    """Runs once in each worker."""
    global _evaluator  # noqa: PLW0603  # a worker is a process with exactly one evaluator
    # Ctrl-C reaches the whole process group; the campaign decides what happens to its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The alarm ends a process whatever it is doing: compiling, for one, never looks up.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if sys.platform == "linux":
        # A worker whose campaign was killed must not live on.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _limit_memory(workload.memory_gib)
    try:
        _evaluator = workload.evaluator(allow=_end_after)
    except Exception as error:  # said by the first batch, since a pool would only start anew
        _evaluator = error


def evaluate_batch(texts: list[str], fidelity: Fidelity) -> list[Evaluation]:
    """Runs in a worker, which receives text and returns records.

    Raises:
        WorkersUnusableError: If the worker has no evaluator; the candidates are not to blame.
    """
    if not isinstance(_evaluator, Evaluator):
        raise WorkersUnusableError(
            f"a worker could not get ready: {type(_evaluator).__name__}: {_evaluator}"
        )
    try:
        return _evaluator.evaluate([parse(text) for text in texts], fidelity)
    except Exception as error:
        if _is_want_of_memory(error):
            # What is left of this process may be short of memory for the next candidate too.
            os._exit(OUT_OF_MEMORY)
        raise
    finally:
        _end_after(math.inf)


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
