"""Brings evaluations back in order, and finds out who is to blame where a batch is lost."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Final, Protocol

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import Activation, parse
from search.executors.executor import Interrupted, Stopping, WorkersUnusableError, split

# Whoever kills two workers all by itself is to blame; one may have been killed from outside.
ATTEMPTS_ALONE: Final = 2

# How often waiting looks whether anybody still wants the results.
LOOK_SECONDS: Final = 0.5

_HARMLESS: Final = parse("relu")


class LostBatchError(Exception):
    """A batch that did not come back.

    Attributes:
        reason: Why, said of one of its candidates ("it needs more than 4 GiB of memory").
        is_certain: Whether it would happen again: then a second attempt would be wasted.
    """

    def __init__(self, reason: str, *, is_certain: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.is_certain = reason, is_certain


class Slots(Protocol):
    """What works on one batch at a time each, such as worker processes."""

    @property
    def workers(self) -> int:
        """How many there are."""
        ...

    def submit(
        self, expressions: Sequence[Activation], fidelity: Fidelity
    ) -> Future[list[Evaluation]]:
        """Hands a batch to the next free one; the future may hold a `LostBatchError`."""
        ...


_Submitted = tuple[list[Activation], "Future[list[Evaluation]]"]


class Delivery:
    """Works through candidates batch by batch.

    A batch that is lost, because its worker died or did not come to an end, is evaluated again one
    candidate at a time, so that only the culprit is recorded as failed, with the reason. Who is to
    blame is never tried again: its record says so.
    """

    def __init__(self, slots: Slots, *, benches: Sequence[Bench], batch: int) -> None:
        """Prepares deliveries.

        Args:
            slots: Do the work.
            benches: Where failed candidates were to be tried, by the number of the task.
            batch: Candidates that are compiled together, at most.
        """
        self._slots, self._benches, self._batch = slots, benches, batch
        self._proven = False
        self._abandoned = threading.Event()

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        """See `Executor.evaluate`.

        Raises:
            Interrupted: Once `stopping` is set and the running batches are delivered; once it is
                abandoned, also where a lost batch is tried one by one.
            WorkersUnusableError: If no candidate at all can be evaluated here.
        """
        waiting = deque(split(expressions, batch=self._batch, workers=self._slots.workers))
        # In the order of submission, which is that of delivery.
        submitted: deque[_Submitted] = deque()
        arrivals = _Arrivals()
        while waiting or submitted:
            if stopping.is_set():
                waiting.clear()
                # Of several calls at a time most batches still wait for a worker.
                while submitted and submitted[-1][1].cancel():
                    submitted.pop()
                if not submitted:
                    raise Interrupted
            free = self._slots.workers - arrivals.running if waiting else 0
            for _ in range(min(free, len(waiting))):
                group = waiting.popleft()
                submitted.append((group, arrivals.expect(self._slots.submit(group, fidelity))))
            arrivals.wait(LOOK_SECONDS)
            if self._abandoned.is_set():
                raise Interrupted
            while submitted and submitted[0][1].done():
                group, future = submitted.popleft()
                yield self._settled(group, future, fidelity)
        if stopping.is_set():
            raise Interrupted

    def abandon(self) -> None:
        """See `Executor.abandon`."""
        self._abandoned.set()

    def _settled(
        self, group: list[Activation], future: Future[list[Evaluation]], fidelity: Fidelity
    ) -> list[Evaluation]:
        """The batch's evaluations; where it was lost, those of its members one by one."""
        if len(group) == 1:
            return [self._alone(group[0], future, fidelity)]
        try:
            return self._delivered(future)
        except LostBatchError:
            futures = [self._slots.submit([expression], fidelity) for expression in group]
            return [
                self._alone(expression, single, fidelity)
                for expression, single in zip(group, futures, strict=True)
            ]

    def _alone(
        self, expression: Activation, future: Future[list[Evaluation]], fidelity: Fidelity
    ) -> Evaluation:
        attempt = 1
        while True:
            try:
                return self._delivered(future)[0]
            except LostBatchError as loss:
                if loss.is_certain or attempt == ATTEMPTS_ALONE:
                    self._prove(loss)
                    return self._benches[fidelity.task].record(
                        expression, fidelity, Outcome.FAILED, reason=loss.reason
                    )
            attempt += 1
            future = self._slots.submit([expression], fidelity)

    def _delivered(self, future: Future[list[Evaluation]]) -> list[Evaluation]:
        while not self._abandoned.is_set() and not future.done():
            wait([future], LOOK_SECONDS)
        if self._abandoned.is_set():
            raise Interrupted
        evaluations = future.result()
        self._proven = True
        return evaluations

    def _prove(self, loss: LostBatchError) -> None:
        """Before the first blame: workers that cannot even do ReLU would blame everybody."""
        if self._proven:
            return
        try:
            self._delivered(self._slots.submit([_HARMLESS], Fidelity(1, (0,))))
        except LostBatchError as error:
            raise WorkersUnusableError(
                f"no worker can evaluate anything here, not even relu: {error.reason}; nothing was "
                "recorded. More memory (scoring.memory_gib) or time (scoring.timeout_seconds) may "
                "be what they need"
            ) from loss


class _Arrivals:
    """Counts batches that are under way, at no more cost for a thousand of them than for one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._has_news = False
        self.running = 0
        """Batches that have not come to an end."""

    def expect(self, future: Future[list[Evaluation]]) -> Future[list[Evaluation]]:
        """Counts a batch until it comes to its end."""
        with self._changed:
            self.running += 1
        future.add_done_callback(self._arrive)
        return future

    def _arrive(self, future: Future[list[Evaluation]]) -> None:
        with self._changed:
            self.running -= 1
            self._has_news = True
            self._changed.notify()

    def wait(self, seconds: float) -> None:
        """Returns when one has arrived since the last time, none is under way, or time is over."""
        with self._changed:
            if self.running and not self._has_news:
                self._changed.wait(seconds)
            self._has_news = False
