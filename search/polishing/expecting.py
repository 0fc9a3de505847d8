"""What may be expected of variants of a function, before any of them is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from evaluators.probing.survey import Survey
from grammars import Expression, Grammar
from search.candidates.racing import Standing
from search.strategies.score_model import ScoreModel
from search.strategies.spread import standardised

# Before so many functions are scored, there is nothing to learn from.
_LEAST_SCORED: Final = 12
# Expectations that differ by less are equal: the model's scale goes from 0 to 1.
_DIGITS: Final = 2

UNFIT: Final = -10.0
"""Expected of what may not be trained, far below all that the model can expect."""


class Expecting:
    """A model of all that a search has scored, and the shapes of functions where it has none."""

    def __init__(
        self,
        standings: Sequence[Standing],
        grammar: Grammar,
        whole: Callable[[Expression], Expression] = lambda function: function,
    ) -> None:
        """Learns.

        Args:
            standings: All that the search has scored; functions that layers share count.
            grammar: What may be written.
            whole: Makes the function that is trained of one that the grammar writes.
        """
        known = [each for each in standings if isinstance(each.candidate.expression, Expression)]
        known.sort(key=lambda each: each.candidate.id)
        self._grammar, self._survey, self._whole = grammar, Survey(), whole
        self._shapes = self._survey([_function(each) for each in known]).shapes
        self._model = (
            ScoreModel(
                self._shapes,
                [each.rung for each in known],
                [each.rank_key[1] for each in known],
            )
            if len(known) >= _LEAST_SCORED
            else None
        )

    @property
    def has_model(self) -> bool:
        """Whether enough is scored to learn from."""
        return self._model is not None

    def expected(self, functions: Sequence[Expression]) -> np.ndarray:
        """Expectations on the model's own scale, `UNFIT` for what may not be trained [functions].

        Without a model all that may be trained is expected to come to 0.
        """
        expected = np.full(len(functions), UNFIT)
        writable = [n for n, each in enumerate(functions) if self._grammar.violation(each) is None]
        if not writable:
            return expected
        fit, shapes = self._survey([self._whole(functions[number]) for number in writable])
        numbers = np.asarray(writable)[fit]
        if len(numbers):
            model = self._model
            expected[numbers] = 0.0 if model is None else model.expected(shapes[fit]).mean
        return expected

    def promising(self, functions: Sequence[Expression], *, like: Expression) -> list[Expression]:
        """Those that may be trained: what promises most first, and of equals the most alike."""
        expected = np.round(self.expected(functions), _DIGITS)
        shapes = self._survey(list(map(self._whole, [like, *functions]))).shapes
        places = standardised(shapes, like=self._shapes)
        distances = np.round(((places[1:] - places[0]) ** 2).mean(axis=1), _DIGITS)
        order = sorted(range(len(functions)), key=lambda n: (-expected[n], distances[n], n))
        return [functions[number] for number in order if expected[number] > UNFIT]


def _function(standing: Standing) -> Expression:
    expression = standing.candidate.expression
    assert isinstance(expression, Expression)
    return expression
