"""Workers that wait instead of training, as many as a cluster might have, behind a real driver."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.delivery import Delivery
from tests.search.simulation import BENCH, Simulation


@dataclass(frozen=True)
class Usage:
    """How busy workers were between two moments.

    Attributes:
        evaluations: Done in between.
        seconds: Of the clock.
        busy: Share of all workers' time in which they trained.
    """

    evaluations: int
    seconds: float
    busy: float


class WaitingSlots:
    """Slots that are busy for so many seconds for each candidate of a batch, all at once.

    One thread keeps their clock, so that a thousand cost no more than a few; what an evaluation
    comes to is worked out beforehand where it can be, and counted as nobody's time.
    """

    def __init__(self, workers: int, *, training_seconds: float) -> None:
        self.workers = workers
        self._seconds, self._simulation = training_seconds, Simulation()
        self._changed = threading.Condition()
        self._ends: list[tuple[float, int]] = []
        self._running: dict[int, tuple[list[Activation], Fidelity, Future[list[Evaluation]]]] = {}
        self._queued: deque[tuple[list[Activation], Fidelity, Future[list[Evaluation]]]] = deque()
        self._count = self.done = 0
        self._worked, self._since, self._is_closed = 0.0, time.monotonic(), False
        self.own_seconds = 0.0
        """Processor time of the simulation itself."""
        threading.Thread(target=self._keep, daemon=True).start()

    def submit(
        self, expressions: Sequence[Activation], fidelity: Fidelity
    ) -> Future[list[Evaluation]]:
        future: Future[list[Evaluation]] = Future()
        with self._changed:
            self._queued.append((list(expressions), fidelity, future))
            self._fill()
        return future

    def _fill(self) -> None:
        while self._queued and len(self._running) < self.workers:
            batch = self._queued.popleft()
            self._count += 1
            self._running[self._count] = batch
            seconds = self._seconds * len(batch[0]) * len(batch[1].seeds)
            self._worked += seconds
            heapq.heappush(self._ends, (time.monotonic() + seconds, self._count))
        self._changed.notify_all()

    def _keep(self) -> None:
        while True:
            with self._changed:
                while not self._ends or self._ends[0][0] > time.monotonic():
                    if self._is_closed:
                        return
                    left = self._ends[0][0] - time.monotonic() if self._ends else 1.0
                    self._changed.wait(max(0.0, left))
                _, number = heapq.heappop(self._ends)
                expressions, fidelity, future = self._running.pop(number)
                self._fill()
            begun = time.thread_time()
            result = [self._simulation.evaluation(each, fidelity) for each in expressions]
            self.done += len(result)
            self.own_seconds += time.thread_time() - begun
            future.set_result(result)

    def usage(self) -> Usage:
        """Since this was asked last."""
        with self._changed:
            now = time.monotonic()
            # Of those that run, what is still to come has not been worked yet.
            ahead = sum(max(0.0, end - now) for end, _ in self._ends)
            seconds, worked = now - self._since, self._worked - ahead
            usage = Usage(self.done, seconds, worked / (self.workers * seconds))
            self.done, self._worked, self._since = 0, ahead, now
            return usage

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


def waiting_delivery(slots: WaitingSlots, *, batch: int) -> Delivery:
    """What stands between a campaign and its workers, as in every executor."""
    return Delivery(slots, benches=(BENCH,), batch=batch)
