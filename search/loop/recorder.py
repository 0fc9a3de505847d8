"""Evaluates what the journal does not hold yet, and records it before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import Activation
from search.candidates.candidate import Candidate
from search.history import Evaluated, find_evaluation, write
from search.journal.journal import Journal
from search.loop.race_ahead import Batch

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

    def evaluate(self, candidates: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        """Yields one evaluation a candidate, in order, each of them durable by then."""
        evaluations = self.ahead(
            candidates, rung, keep=lambda batch: self._record(batch.evaluations, rung=batch.rung)
        )
        for done, evaluation in enumerate(evaluations, 1):
            yield evaluation
            self._on_progress(rung, done, len(candidates))

    def ahead(
        self, candidates: Sequence[Candidate], rung: int, *, keep: Callable[[Batch], None]
    ) -> Iterator[Evaluation]:
        """Yields one evaluation a candidate, in order; what is new is handed over before."""
        remembered = {each.id: find_evaluation(self._journal, each.id, rung) for each in candidates}
        missing = [candidate for candidate in candidates if remembered[candidate.id] is None]
        batches = self._batches([each.expression for each in missing], rung) if missing else ()
        fresh = self._kept(batches, rung, keep, total=len(missing))
        for candidate in candidates:
            yield remembered[candidate.id] or next(fresh)

    def record(self, batch: Batch) -> None:
        """Makes evaluations durable that were handed over by `ahead`."""
        self._record(batch.evaluations, rung=batch.rung)
        self._on_progress(batch.rung, batch.done, batch.total)

    def _kept(
        self,
        batches: Iterable[list[Evaluation]],
        rung: int,
        keep: Callable[[Batch], None],
        *,
        total: int,
    ) -> Iterator[Evaluation]:
        done = 0
        for batch in batches:
            done += len(batch)
            keep(Batch(batch, rung, done, total))
            yield from batch

    def _record(self, evaluations: Iterable[Evaluation], *, rung: int) -> None:
        write(self._journal, (Evaluated(rung, evaluation) for evaluation in evaluations))
