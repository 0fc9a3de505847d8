"""Evaluates what the journal does not hold yet, and records it before it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from evaluators.evaluation import Evaluation, Outcome
from evaluators.evaluator import Bench
from evaluators.fidelity import Fidelity
from search.candidate import Candidate
from search.executors import Executor, Interrupted, Stopping
from search.journal import Journal
from search.prefetch import Prefetched


class Recorder:
    """The journal as the memory of an executor."""

    def __init__(
        self,
        journal: Journal,
        executor: Executor,
        *,
        bench: Bench,
        fidelities: Sequence[Fidelity],
        stopping: Stopping,
        on_progress: Callable[[int, int, int], None],
    ) -> None:
        """Connects them.

        Args:
            journal: Where evaluations are looked up and recorded.
            executor: Does the training.
            bench: Task and data set.
            fidelities: Budget of each rung.
            stopping: Ends evaluating after the running batches.
            on_progress: Called with rung, evaluations done and their number after each batch.
        """
        self._journal, self._executor, self._bench = journal, executor, bench
        self._fidelities, self._stopping = fidelities, stopping
        self._on_progress = on_progress
        self._begun: dict[str, Prefetched[list[Evaluation]]] = {}

    def reject(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Probes candidates, records the rejections, returns those that may be trained."""
        fit, rejections = [], []
        for candidate in candidates:
            rejection = self._bench.rejection(candidate.expression, self._fidelities[0])
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
        first = self._fidelities[0]
        self._record(
            (
                self._bench.record(
                    candidate.expression, first, Outcome.REJECTED, reason=reasons[candidate.id]
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
            self._begun[missing[0].id] = Prefetched(self._batches(missing, 0))

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
        document = self._journal.get("evaluation", _key(candidate.id, rung))
        if document is None:
            return None
        return Evaluation.from_json({k: v for k, v in document.items() if k != "rung"})

    def _fresh(self, candidates: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        begun = self._begun.pop(candidates[0].id, None) if rung == 0 else None
        for batch in begun or self._batches(candidates, rung):
            self._record(batch, rung=rung)
            yield from batch

    def _batches(self, candidates: Sequence[Candidate], rung: int) -> Iterator[list[Evaluation]]:
        expressions = [candidate.expression for candidate in candidates]
        return self._executor.evaluate(expressions, self._fidelities[rung], stopping=self._stopping)

    def _record(self, evaluations: Iterable[Evaluation], *, rung: int) -> None:
        self._journal.append_all(
            (
                "evaluation",
                _key(evaluation.candidate_id, rung),
                {"rung": rung, **evaluation.to_json()},
            )
            for evaluation in evaluations
        )


def _key(candidate_id: str, rung: int) -> str:
    return f"{candidate_id}@{rung}"
