"""Trainings on several tasks at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation, parse
from search.executors import Interrupted, WorkersUnusableError
from search.executors.at_once import trained_at_once
from search.history import Memory, remembered

from .ownerless import Ownerless
from .test_appraisal import Field

FIRST, SECOND = Fidelity(10, (0,), 0.004, 0), Fidelity(10, (0,), 0.004, 1)
TEXTS = ("tanh(x)", "sin(x)")


@dataclass
class Backwards(Ownerless):
    """The second task is done before the first begins, which an executor of several workers may be.

    It fails if it is only asked for the second task once the first is done.
    """

    wish: threading.Event = field(default_factory=threading.Event)
    stops_before_first: bool = False
    error: Exception | None = None
    second_is_done: threading.Event = field(default_factory=threading.Event)

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Any
    ) -> Iterator[list[Evaluation]]:
        if fidelity == FIRST:
            assert self.second_is_done.wait(30.0), "nobody has asked for the second task"
            if self.error is not None:
                raise self.error
            if stopping.is_set():
                raise Interrupted
        for each in expressions:
            yield [Field().evaluation(each, fidelity)]
        if fidelity == SECOND:
            if self.stops_before_first:
                self.wish.set()
            self.second_is_done.set()


def trained(executor: Backwards) -> Iterator[tuple[int, str]]:
    functions = [parse(text) for text in TEXTS]
    asked = [(FIRST, functions), (SECOND, functions)]
    for fidelity, batch in trained_at_once(executor, asked, stopping=executor.wish):
        assert all(each.fidelity == fidelity for each in batch)
        yield from ((fidelity.task, each.expression) for each in batch)


def test_what_is_asked_for_first_comes_first_though_it_arrives_last() -> None:
    assert list(trained(Backwards())) == [(task, text) for task in (0, 1) for text in TEXTS]


def test_a_stop_loses_nothing_that_was_trained() -> None:
    came = trained(Backwards(stops_before_first=True))
    assert [next(came) for _ in TEXTS] == [(1, text) for text in TEXTS]
    with pytest.raises(Interrupted):
        next(came)


def test_what_cannot_be_trained_is_said_at_once() -> None:
    with pytest.raises(WorkersUnusableError, match="no data"):
        next(trained(Backwards(error=WorkersUnusableError("no data"))))


def test_what_is_remembered_is_trained_no_more_and_equal_functions_once() -> None:
    training, kept = Field(), dict[str, Evaluation]()
    memory: Memory[Fidelity] = Memory(
        key=lambda identity, how: f"{identity}@{how.task}", find=kept.get, keep=kept.update
    )

    def trained_for(*asked: tuple[Fidelity, list[str]]) -> list[list[str]]:
        found = remembered(
            [(how, [parse(text) for text in texts]) for how, texts in asked],
            memory=memory,
            train=lambda missing: trained_at_once(training, missing, stopping=threading.Event()),
        )
        return [[each.expression for each in some] for some in found]

    assert trained_for((FIRST, ["tanh(x)"])) == [["tanh(x)"]]
    asked = [["sin(x)", "tanh(x)", "sin(x)"], ["tanh(x)"]]
    assert trained_for((FIRST, asked[0]), (SECOND, asked[1])) == asked
    done = [(text, how.task) for text, how in training.done]
    assert sorted(done) == [("sin(x)", 0), ("tanh(x)", 0), ("tanh(x)", 1)]
    assert trained_for((FIRST, asked[0]), (SECOND, asked[1])) == asked
    assert len(training.done) == len(done)
