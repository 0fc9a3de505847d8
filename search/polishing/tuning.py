"""Better constants for a form that stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from grammars import Expression, Grammar
from search.polishing.constants import constants_of, rounded, with_constants
from search.polishing.expecting import UNFIT, Expecting

# How far from a constant others are tried: so many times its size, and so much at least.
_REACH, _LEAST_REACH = 0.5, 0.25
# More constants than this need more trainings than anybody grants.
_MOST: Final = 8
# Written with so many digits; what more of them bring, no training tells.
_DIGITS: Final = 4
# Of differential evolution on the model: members for each constant, and rounds.
_MEMBERS, _ROUNDS = 10, 15
# Size of the first simplex, as a share of the reach.
_FIRST_STEP: Final = 0.4
# Of what may not be trained or did not learn.
_WORST: Final = 1e6

ScoreEach = Callable[[Sequence[Expression]], Sequence[float | None]]
"""Trains functions; None for one that did not learn."""


def proposed_by_model(
    function: Expression, grammar: Grammar, expecting: Expecting
) -> Expression | None:
    """The form with the constants of which the model expects most; None if it knows no better.

    By differential evolution (Storn, Price 1997): what trees expect is a staircase, on which a
    simplex would not move. It is deterministic.
    """
    bounds = _bounds(function, grammar)
    if bounds is None or not expecting.has_model:
        return None
    from scipy.optimize import differential_evolution

    def losses(points: np.ndarray) -> np.ndarray:
        columns = np.atleast_2d(points.T)
        loss: np.ndarray = -expecting.expected([_at(function, point) for point in columns])
        return loss

    found = differential_evolution(
        losses,
        bounds,
        x0=np.clip(constants_of(function), *np.transpose(bounds)),
        popsize=_MEMBERS,
        maxiter=_ROUNDS,
        vectorized=True,
        updating="deferred",
        polish=False,
        rng=0,
    )
    (known,) = expecting.expected([function])
    return _at(function, found.x) if -found.fun > max(known, UNFIT) else None


def tried_by_training(
    function: Expression, grammar: Grammar, *, score_each: ScoreEach, trainings: int
) -> list[Expression]:
    """All forms that were trained in a search for better constants: a Nelder-Mead simplex.

    Args:
        function: Where it begins.
        grammar: Says which constants there are.
        score_each: Trains.
        trainings: At most; none where the first simplex would take more.
    """
    bounds = _bounds(function, grammar)
    if bounds is None or len(bounds) >= trainings:
        return []
    from scipy.optimize import minimize

    tried: dict[str, tuple[Expression, float]] = {}

    def train(points: Sequence[np.ndarray]) -> None:
        forms = {str(form): form for form in (_at(function, point) for point in points)}
        new = [form for text, form in forms.items() if text not in tried]
        writable = [form for form in new if grammar.violation(form) is None]
        for form in new:
            tried[str(form)] = (form, _WORST)
        for form, score in zip(writable, score_each(writable), strict=True):
            tried[str(form)] = (form, _WORST if score is None else -score)

    def loss(point: np.ndarray) -> float:
        train([point])
        return tried[str(_at(function, point))][1]

    simplex = _first_simplex(constants_of(function), bounds)
    train(list(simplex))  # together, since each is trained in any case
    minimize(
        loss,
        simplex[0],
        method="Nelder-Mead",
        bounds=bounds,
        options={"initial_simplex": simplex, "maxfev": trainings},
    )
    return [form for form, _ in tried.values() if grammar.violation(form) is None]


def _first_simplex(values: Sequence[float], bounds: Sequence[tuple[float, float]]) -> np.ndarray:
    """The constants as they are, and each of them moved towards its farther bound."""
    first = np.clip(np.asarray(values), *np.transpose(bounds))
    simplex = np.tile(first, (len(values) + 1, 1))
    for number, (low, high) in enumerate(bounds):
        farther = high if high - first[number] >= first[number] - low else low
        simplex[number + 1, number] += _FIRST_STEP * (farther - first[number])
    return simplex


def _bounds(function: Expression, grammar: Grammar) -> list[tuple[float, float]] | None:
    """Between what each constant may move; None where none may."""
    values, allowed = constants_of(function), grammar.constants
    if not 0 < len(values) <= _MOST or allowed is None or allowed.choices:
        return None
    reaches = [max(_REACH * abs(value), _LEAST_REACH) for value in values]
    return [
        (max(value - reach, min(allowed.low, value)), min(value + reach, max(allowed.high, value)))
        for value, reach in zip(values, reaches, strict=True)
    ]


def _at(function: Expression, point: np.ndarray) -> Expression:
    return with_constants(function, [rounded(float(value), _DIGITS) for value in point])
