"""A batch for a slot of a Ray cluster, which can be cancelled until a slot has taken it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.delivery import LostBatchError
from search.executors.executor import WorkersUnusableError


class RayBatch:
    """What is to be evaluated, as text, and how often that was in vain.

    Attributes:
        future: Of its evaluations. It is running from the moment when a slot takes the batch, also
            while the batch waits for another one because that slot was lost.
        losses: How many slots have been lost over it.
    """

    def __init__(self, expressions: Sequence[Activation], fidelity: Fidelity) -> None:
        """It waits, and nobody has tried it."""
        self.texts, self.fidelity = [str(each) for each in expressions], fidelity
        self.future: Future[list[Evaluation]] = Future()
        self.losses = 0

    def begin(self) -> bool:
        """Makes it running, unless it is; False where it was cancelled."""
        return self.future.running() or self.future.set_running_or_notify_cancel()

    def refuse(self, why: str) -> None:
        """Says why no slot can do it, which is no candidate's fault."""
        if self.begin():
            self.future.set_exception(WorkersUnusableError(why))


def evaluations_of(answer: Mapping[str, Any]) -> list[Evaluation]:
    """What `WorkerActor.evaluate` says of a batch.

    Raises:
        LostBatchError: If its worker process was lost.
        WorkersUnusableError: If that process can evaluate nothing.
    """
    if "loss" in answer:
        raise LostBatchError(answer["loss"]["reason"], is_certain=answer["loss"]["is_certain"])
    if "unusable" in answer:
        raise WorkersUnusableError(answer["unusable"])
    return [Evaluation.from_json(document) for document in answer["evaluations"]]
