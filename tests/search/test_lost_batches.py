"""What becomes of a lost batch when nobody waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import pytest

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation, parse
from search.executors import Interrupted
from search.executors.delivery import Delivery, LostBatchError

from .simulation import BENCH, Simulation

FIDELITY = Fidelity(1, (0,))


class Slots:
    """A worker that some batches end, and that one keeps for ever."""

    workers = 1

    def __init__(self, *, lost: set[tuple[str, ...]], endless: str) -> None:
        self.lost, self.endless = lost, endless
        self.is_stuck = threading.Event()

    def submit(
        self, expressions: Sequence[Activation], fidelity: Fidelity
    ) -> Future[list[Evaluation]]:
        texts = tuple(str(each) for each in expressions)
        future: Future[list[Evaluation]] = Future()
        if texts == (self.endless,):
            self.is_stuck.set()
        elif texts in self.lost:
            future.set_exception(LostBatchError("its worker died", is_certain=True))
        else:
            future.set_result([Simulation().evaluation(each, fidelity) for each in expressions])
        return future


@pytest.mark.parametrize(
    ("texts", "lost", "endless"),
    [
        (["tanh(x)", "cos(x)"], {("tanh(x)", "cos(x)")}, "cos(x)"),
        (["cos(x)"], {("cos(x)",)}, "relu(x)"),
    ],
    ids=["one by one", "while ReLU is run as a check"],
)
def test_giving_up_is_heard_while_a_lost_batch_is_looked_into(
    texts: list[str], lost: set[tuple[str, ...]], endless: str
) -> None:
    slots = Slots(lost=lost, endless=endless)
    delivery = Delivery(slots, benches=(BENCH,), batch=8)
    expressions = [parse(text) for text in texts]
    batches = delivery.evaluate(expressions, FIDELITY, stopping=threading.Event())
    outcome = in_a_thread(batches)
    assert slots.is_stuck.wait(timeout=30)
    delivery.abandon()
    with pytest.raises(Interrupted):
        outcome.result(timeout=30)


def in_a_thread(batches: Iterator[list[Evaluation]]) -> Future[list[list[Evaluation]]]:
    """All of them, or what is raised; a thread that never ends keeps nobody waiting."""
    outcome: Future[list[list[Evaluation]]] = Future()

    def run() -> None:
        try:
            outcome.set_result(list(batches))
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome
