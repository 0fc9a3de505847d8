"""Trains variants of a function as the last rung does, and compares them seed by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import stdev
from typing import Final

from evaluators.evaluation.evaluation import Evaluation, Outcome
from grammars import Activation, Expression, expression_id
from search.history import POLISHING, Memory, find_evaluation, remembered
from search.journal.journal import Journal

Evaluate = Callable[[Sequence[Activation], int], Iterator[list[Evaluation]]]
"""Evaluates functions on a rung, batch by batch, in their order."""

# Over several tasks the standard error is that of three or four advantages which differ by nature,
# so it is no bound. Of the spread that baselines have, a function gives away a tenth at the most.
_GIVEN_AWAY: Final = 0.1


def trial_key(candidate_id: str, rung: int) -> str:
    """Under which a trial of a variant is in the journal."""
    return f"{POLISHING}{candidate_id}@{rung}"


class Trials:
    """The journal as the memory of trials: what was trained once is not trained again."""

    def __init__(self, journal: Journal, evaluate: Evaluate, *, rung: int) -> None:
        """Connects them.

        Args:
            journal: Where trials are looked up and recorded.
            evaluate: Does the training.
            rung: The last of the campaign.
        """
        self._journal, self._evaluate, self.rung = journal, evaluate, rung

    def __call__(self, functions: Sequence[Expression]) -> list[Evaluation]:
        """One evaluation each, durable by then.

        Raises:
            Interrupted: Once stopping is set and the running batches are done.
        """
        known = {
            identity: evaluation
            for identity in map(expression_id, functions)
            if (evaluation := find_evaluation(self._journal, identity, self.rung)) is not None
        }
        unknown = [each for each in functions if expression_id(each) not in known]
        (trained,) = remembered(
            [(self.rung, unknown)],
            memory=Memory.of_measurements(self._journal, trial_key),
            train=self._trained,
        )
        known |= {each.candidate_id: each for each in trained}
        return [known[identity] for identity in map(expression_id, functions) if identity in known]

    def _trained(
        self, missing: Sequence[tuple[int, Sequence[Activation]]]
    ) -> Iterator[tuple[int, list[Evaluation]]]:
        for rung, functions in missing:
            for batch in self._evaluate(functions, rung):
                yield rung, batch


def lead(evaluation: Evaluation, over: Evaluation) -> tuple[float, float]:
    """By how much one evaluation is better than another, and the standard error of that.

    The error is that of the paired differences: over seeds, and over tasks where there are several.
    It is 0 where there is one pair only.
    """
    if evaluation.score is None or over.score is None:
        return -math.inf, 0.0
    theirs = _parts(over)
    pairs = [score - theirs[key] for key, score in _parts(evaluation).items() if key in theirs]
    error = stdev(pairs) / math.sqrt(len(pairs)) if len(pairs) > 1 else 0.0
    if _is_over_tasks(evaluation):
        return evaluation.score - over.score, error
    return (evaluation.plain_score or 0.0) - (over.plain_score or 0.0), error


def is_better(evaluation: Evaluation, than: Evaluation) -> bool:
    """Whether the difference is greater than its standard error."""
    difference, error = lead(evaluation, than)
    return difference > error


def is_no_worse(evaluation: Evaluation, than: Evaluation) -> bool:
    """Whether it is behind by a standard error at the most, over tasks by a tenth of a spread.

    That is the one-standard-error rule: of all that do about as well, the simplest (Breiman,
    Friedman, Olshen, Stone, Classification and Regression Trees, 1984).
    """
    difference, error = lead(evaluation, than)
    allowed = min(error, _GIVEN_AWAY) if _is_over_tasks(evaluation) else error
    return evaluation.outcome is Outcome.SCORED and difference >= -allowed


def _parts(evaluation: Evaluation) -> dict[str | int, float]:
    if evaluation.over_tasks is not None and _is_over_tasks(evaluation):
        return {each.task: each.advantage for each in evaluation.over_tasks.tasks}
    return {result.seed: result.score for result in evaluation.per_seed}


def _is_over_tasks(evaluation: Evaluation) -> bool:
    """Whether there are several tasks; one alone may have an aggregate for its learning rates."""
    over_tasks = evaluation.over_tasks
    return over_tasks is not None and len(over_tasks.tasks) > 1
