"""Any strategy, looking for what fills a template or keeps a property by construction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from grammars import (
    Activation,
    Call,
    Constant,
    Expression,
    Layered,
    Variable,
    evaluate,
)
from grammars.expressions.expression import substitute
from grammars.parsing.template import Template
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Vitals
from search.settings import SearchSettings
from search.strategies.strategy import Admit, Strategy

Shape = Callable[[Expression], Expression]
"""Makes the function that is trained of the one that a strategy has written."""

_POINTS: Final = np.linspace(-5.0, 5.0, 101)
_ROUNDING: Final = 1e-10
_X: Final = Variable()


class Shaped:
    """A strategy between whose proposals and the campaign stands a shape.

    The strategy breeds, models and remembers what is inside; the campaign probes, trains and
    records the whole. So every strategy takes every template. It learns from its own proposals
    alone: a baseline is no filled template.
    """

    def __init__(self, inner: Strategy, shape: Shape) -> None:
        """Nothing has been proposed yet."""
        self._inner, self._shape = inner, shape
        self._inside: dict[str, Candidate] = {}
        self._whole: dict[str, str] = {}

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """See `Strategy.ask`; new are functions as a whole."""

        def admit_whole(expression: Expression, /, *, layer: int = 0) -> bool:
            return admit(self._shape(expression), layer=layer)

        proposed = self._inner.ask(count, generation=generation, admit=admit_whole)
        return [self._shaped(candidate) for candidate in proposed]

    def tell(self, standings: Iterable[Standing]) -> None:
        """See `Strategy.tell`."""
        self._inner.tell(
            [
                Standing(self._inside[each.candidate.id], each.rung, each.evaluation)
                for each in standings
            ]
        )

    @property
    def vitals(self) -> Vitals:
        """See `Strategy.vitals`."""
        return self._inner.vitals

    def _shaped(self, inside: Candidate) -> Candidate:
        candidate = Candidate.of(
            self._applied(inside.expression),
            generation=inside.generation,
            origin=inside.origin,
            parents=tuple(self._whole.get(parent, parent) for parent in inside.parents),
            variation=inside.variation,
        )
        self._inside[candidate.id] = inside
        self._whole[inside.id] = candidate.id
        return candidate

    def _applied(self, activation: Activation) -> Activation:
        if isinstance(activation, Layered):
            return Layered(tuple(map(self._shape, activation.functions)))
        return self._shape(activation)


def shape_of(settings: SearchSettings) -> Shape | None:
    """What the settings ask for; None if nothing.

    A template is filled first; then an odd function is made as f(x) - f(-x) and an even one as
    f(|x|), unless it is one already, and f(0) is taken away.
    """
    shapes: list[Shape] = []
    if settings.template is not None:
        shapes.append(Template.read(settings.template).filled)
    if (require := settings.require) is not None:
        if require.symmetry == "odd":
            shapes.append(_odd)
        if require.symmetry == "even":
            shapes.append(_even)
        if require.zero_at_zero:
            shapes.append(_through_zero)
    if not shapes:
        return None

    def shape(expression: Expression) -> Expression:
        for each in shapes:
            expression = each(expression)
        return expression

    return shape


def _odd(function: Expression) -> Expression:
    mirrored = substitute(function, Call("neg", (_X,)))
    if _are_equal(function, mirrored, sign=-1.0):
        return function
    return Call("sub", (function, mirrored))


def _even(function: Expression) -> Expression:
    if _are_equal(function, substitute(function, Call("neg", (_X,))), sign=1.0):
        return function
    return substitute(function, Call("abs", (_X,)))


def _through_zero(function: Expression) -> Expression:
    with np.errstate(all="ignore"):
        start = float(evaluate(function, np.zeros(())))
    # What is not finite there is left to the probes.
    if not np.isfinite(start) or abs(start) <= 1e-15:
        return function
    return Call("sub", (function, Constant(start)))


def _are_equal(one: Expression, other: Expression, *, sign: float) -> bool:
    with np.errstate(all="ignore"):
        first, second = (np.nan_to_num(evaluate(each, _POINTS)) for each in (one, other))
    return bool((np.abs(first - sign * second) <= _ROUNDING * (1.0 + np.abs(first))).all())
