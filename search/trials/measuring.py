"""Evaluations that belong to no race, done once and kept in the campaign's journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import Expression, expression_id
from search.executors import Executor, Stopping
from search.history import Measured, read_history, write
from search.journal.journal import Journal

Measurements = Mapping[str, Evaluation]
"""Evaluations by what was measured: see `measurement_key`."""


def measurement_key(expression: Expression, fidelity: Fidelity) -> str:
    """What distinguishes a measurement: the function, the steps and the seeds."""
    seeds = ",".join(map(str, fidelity.seeds))
    return f"{expression_id(expression)}@{fidelity.steps}@{seeds}"


class Measurer:
    """The journal as the memory of an executor, for functions that are no candidates."""

    def __init__(
        self, journal: Journal, executor: Executor, *, bench: Bench, stopping: Stopping
    ) -> None:
        """Connects them.

        Args:
            journal: Where measurements are looked up and recorded.
            executor: Does the training.
            bench: Task and data set.
            stopping: Ends measuring after the running batches.
        """
        self._journal, self._executor = journal, executor
        self._bench, self._stopping = bench, stopping

    def measure(self, expressions: Sequence[Expression], fidelity: Fidelity) -> None:
        """Evaluates what the journal does not hold yet; what a probe rejects is not trained.

        Raises:
            Interrupted: Once `stopping` is set and the running batches are recorded.
        """
        measured = read_history(self._journal).measured
        missing = missing_of(expressions, fidelity, measured=measured)
        trainable = []
        for expression in missing:
            rejection = self._bench.rejection(expression, fidelity)
            if rejection is None:
                trainable.append(expression)
            else:
                self._record([expression], [rejection], fidelity)
        done = 0
        for batch in self._executor.evaluate(trainable, fidelity, stopping=self._stopping):
            self._record(trainable[done : done + len(batch)], batch, fidelity)
            done += len(batch)

    def _record(
        self,
        expressions: Iterable[Expression],
        evaluations: Iterable[Evaluation],
        fidelity: Fidelity,
    ) -> None:
        write(
            self._journal,
            (
                Measured(measurement_key(expression, fidelity), evaluation)
                for expression, evaluation in zip(expressions, evaluations, strict=True)
            ),
        )


def missing_of(
    expressions: Iterable[Expression], fidelity: Fidelity, *, measured: Measurements
) -> list[Expression]:
    """The distinct functions among them that were not measured at this fidelity."""
    distinct = {measurement_key(expression, fidelity): expression for expression in expressions}
    return [expression for key, expression in distinct.items() if key not in measured]
