"""Evaluates what the journal does not hold yet, and records it before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import Activation
from search.candidates.candidate import Candidate
from search.executors import Interrupted
from search.history import Evaluated, find_evaluation, write
from search.journal.journal import Journal
from search.loop.prefetch import Prefetched

EvaluateRung = Callable[[Sequence[Activation], int], Iterator[list[Evaluation]]]
"""Evaluates functions on a rung, batch by batch, in their order; see `Executor.evaluate`."""


class Recorder:
    """The journal as the memory of whoever evaluates."""

    def __init__(
        self,
        journal: Journal,
        evaluate: EvaluateRung,
        *,
        bench: Bench,
        lowest: Fidelity,
        on_progress: Callable[[int, int, int], None],
    ) -> None:
        """Connects them.

        Args:
            journal: Where evaluations are looked up and recorded.
            evaluate: Does the training.
            bench: Task and data set.
            lowest: What the lowest rung grants.
            on_progress: Called with rung, evaluations done and their number after each batch.
        """
        self._journal, self._batches = journal, evaluate
        self._bench, self._lowest = bench, lowest
        self._on_progress = on_progress
        self._begun: dict[str, Prefetched[list[Evaluation]]] = {}

    def reject(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Probes candidates, records the rejections, returns those that may be trained."""
        fit, rejections = [], []
        for candidate in candidates:
            rejection = self._bench.rejection(candidate.expression, self._lowest)
            if rejection is None:
                fit.append(candidate)
            else:
                rejections.append(rejection)
        self._record(rejections, rung=0)
        return fit

    def dismiss(
        self, candidates: Sequence[Candidate], reasons: Mapping[str, str]
    ) -> list[Candidate]:
        """Records who is rejected for a reason, by id; returns the others."""
        self._record(
            (
                self._bench.record(
                    candidate.expression,
                    self._lowest,
                    Outcome.REJECTED,
                    reason=reasons[candidate.id],
                )
                for candidate in candidates
                if candidate.id in reasons
            ),
            rung=0,
        )
        return [candidate for candidate in candidates if candidate.id not in reasons]

    def begin(self, candidates: Sequence[Candidate]) -> None:
        """Begins to evaluate on the lowest rung what `evaluate` will be asked for there."""
        missing = [each for each in candidates if self._remembered(each, 0) is None]
        if missing:
            self._begun[missing[0].id] = Prefetched(self._batches(_functions(missing), 0))

    def settle(self) -> None:
        """Once evaluating has stopped: records what was begun and has come to an end."""
        for begun in self._begun.values():
            with suppress(Interrupted):
                for batch in begun:
                    self._record(batch, rung=0)
        self._begun.clear()

    def evaluate(self, candidates: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        """Yields one evaluation a candidate, in order, each of them durable by then."""
        remembered = {candidate.id: self._remembered(candidate, rung) for candidate in candidates}
        missing = [candidate for candidate in candidates if remembered[candidate.id] is None]
        fresh = self._fresh(missing, rung)
        for done, candidate in enumerate(candidates, 1):
            yield remembered[candidate.id] or next(fresh)
            self._on_progress(rung, done, len(candidates))

    def _remembered(self, candidate: Candidate, rung: int) -> Evaluation | None:
        return find_evaluation(self._journal, candidate.id, rung)

    def _fresh(self, candidates: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        begun = self._begun.pop(candidates[0].id, None) if rung == 0 else None
        for batch in begun or self._batches(_functions(candidates), rung):
            self._record(batch, rung=rung)
            yield from batch

    def _record(self, evaluations: Iterable[Evaluation], *, rung: int) -> None:
        write(self._journal, (Evaluated(rung, evaluation) for evaluation in evaluations))


def _functions(candidates: Sequence[Candidate]) -> list[Activation]:
    return [candidate.expression for candidate in candidates]
