"""The race of a generation that is run before its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import NamedTuple, Protocol

from evaluators.evaluation.evaluation import Evaluation
from search.candidates.candidate import Candidate
from search.candidates.racing import Racing, Standing


class Batch(NamedTuple):
    """Evaluations that arrived together.

    Attributes:
        evaluations: In order.
        rung: That they are of.
        done: New evaluations of the race on this rung by then.
        total: How many there will be.
    """

    evaluations: Sequence[Evaluation]
    rung: int
    done: int
    total: int


class EvaluateAhead(Protocol):
    """Evaluates candidates on a rung, and hands over what is new instead of recording it."""

    def __call__(
        self, candidates: Sequence[Candidate], rung: int, *, keep: Callable[[Batch], None]
    ) -> Iterator[Evaluation]:
        """Yields one evaluation a candidate, in order."""
        ...


class RaceAhead:
    """Runs a race in a thread; in its turn, what it brought is recorded in the order of the rungs.

    So workers that the generation before leaves idle on its higher rungs have something to do, and
    the journal is the same as if one generation had come after the other.
    """

    def __init__(
        self, racing: Racing, candidates: Sequence[Candidate], evaluate: EvaluateAhead
    ) -> None:
        """Begins.

        Args:
            racing: Of the campaign; races are begun in the order of their generations.
            candidates: New ones that passed the probes.
            evaluate: Does the work.
        """
        self._racing, self._candidates, self._evaluate = racing, candidates, evaluate
        self._number = racing.announce()
        self._arrived: SimpleQueue[Batch | list[Standing] | Exception] = SimpleQueue()
        # A daemon: a program that is told to end at once waits for no training.
        name = f"race-{self._number}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        def evaluate(candidates: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
            return self._evaluate(candidates, rung, keep=self._arrived.put)

        try:
            self._arrived.put(self._racing.run(self._candidates, evaluate, number=self._number))
        except Exception as error:  # raised where the standings are wanted
            self._arrived.put(error)

    def standings(self, record: Callable[[Batch], None]) -> list[Standing]:
        """What `Racing.run` returns, once all that it rests on is recorded.

        Raises:
            RaceBrokenError: If a race before this one has not come to its end.
            Interrupted: As `Executor.evaluate`; what arrived by then is recorded.
        """
        while isinstance(arrived := self._arrived.get(), Batch):
            record(arrived)
        if isinstance(arrived, Exception):
            raise arrived
        return arrived
