"""Evaluates in this very process: for tests, notebooks and `actsearch evaluate`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Self

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.executor import (
    Evaluators,
    Interrupted,
    Stopping,
    Workload,
    split,
    use_single_thread,
)


class InProcess:
    """One worker, here. A candidate that hangs or crashes takes the campaign with it."""

    def __init__(self, workload: Workload, *, batch: int) -> None:
        use_single_thread()
        self._evaluators = Evaluators(workload)
        self._batch = batch
        self._working = threading.Lock()

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        """See `Executor.evaluate`."""
        for group in split(expressions, batch=self._batch, workers=1):
            if stopping.is_set():
                raise Interrupted
            with self._working:
                evaluations = self._evaluators.evaluate(group, fidelity)
            yield evaluations

    def abandon(self) -> None:
        """Does nothing: this process cannot be taken from its own batch."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass
