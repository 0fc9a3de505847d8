"""Workers in which chosen candidates do what a candidate must never get away with."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluators.datasets import load
from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Evaluator
from grammars import Expression
from search.executors import Workload

HANG_SECONDS = 0.3


def segfault(allow: Callable[[float], None]) -> None:
    """Reads address 0."""
    ctypes.string_at(0)


def exhaust_memory(allow: Callable[[float], None]) -> None:
    """Asks XLA for more than a worker may have."""
    import jax.numpy as jnp

    jnp.ones((3 << 30,), jnp.float32).block_until_ready()


def hang(allow: Callable[[float], None]) -> None:
    """Never ends, deaf to what can be ignored, within an allowance that ends soon."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    allow(HANG_SECONDS)
    while True:
        time.sleep(1000.0)


def spin(allow: Callable[[float], None]) -> None:
    """Never ends either, as a compiler does that goes round in circles."""
    allow(HANG_SECONDS)
    while True:
        pass


def raise_error(allow: Callable[[float], None]) -> None:
    """Fails as a compiler does that meets a bug of its own."""
    raise RuntimeError("INTERNAL: the compiler has a bug\nand says so at length")


def kill(allow: Callable[[float], None]) -> None:
    """Dies as under the system's out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


LEAKED: list[bytearray] = []


def leak(allow: Callable[[float], None]) -> None:
    """Leaves much behind, as hundreds of compiled programs do."""
    LEAKED.append(bytearray(700 << 20))


FAULTS = {
    fault.__name__: fault
    for fault in (segfault, exhaust_memory, hang, spin, raise_error, kill, leak)
}


class FaultyEvaluator(Evaluator):
    """An evaluator that some candidates ruin."""

    workload: FaultyWorkload

    def evaluate(self, expressions: Sequence[Expression], fidelity: Fidelity) -> list[Evaluation]:
        faults = dict(self.workload.faults)
        for expression in expressions:
            if fault := faults.get(str(expression)):
                with self.workload.log.open("a") as log:
                    log.write(f"{len(expressions)} {expression}\n")
                if self.workload.is_due(fault):
                    FAULTS[fault.split()[0]](self._allow)
        return super().evaluate(expressions, fidelity)


@dataclass(frozen=True, kw_only=True)
class FaultyWorkload(Workload):
    """A workload in whose workers some candidates have faults.

    Attributes:
        faults: Pairs of an expression and the name of its fault; "kill once" happens but once.
        log: Each attempt at such a candidate adds a line: the size of the batch, the expression.
    """

    faults: tuple[tuple[str, str], ...]
    log: Path

    def evaluator(self, *, allow: Callable[[float], None] = lambda seconds: None) -> Evaluator:
        evaluator = FaultyEvaluator(
            self.task,
            load(self.task.data),
            timeout_seconds=self.timeout_seconds,
            states_folder=self.states_folder,
            allow=allow,
        )
        evaluator.workload = self
        return evaluator

    def is_due(self, fault: str) -> bool:
        """Whether the fault is to happen now."""
        return not fault.endswith("once") or len(self.attempts()) == 1

    def attempts(self) -> list[str]:
        """The lines of the log."""
        return self.log.read_text().splitlines() if self.log.exists() else []
