"""Workers that say who they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from evaluators.datasets import load
from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Evaluator
from grammars import Activation
from search.executors import Workload


class WatchedEvaluator(Evaluator):
    """Gives the number of its process for a reason."""

    def evaluate(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Evaluation]:
        """See `Evaluator.evaluate`."""
        records = super().evaluate(candidates, fidelity)
        return [replace(record, reason=str(os.getpid())) for record in records]


class WatchedWorkload(Workload):
    """A workload for such workers."""

    def evaluator(self, *, allow: Callable[[float], None] = lambda seconds: None) -> Evaluator:
        """See `Workload.evaluator`."""
        return WatchedEvaluator(self.task, load(self.task.data), allow=allow)
