"""What a function and its slope are seen to be along the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy

from grammars.algebra.canonical import canonical
from grammars.analysis.switching import LINE, REACH, step_beside, switching_places
from grammars.expressions.expression import Expression
from grammars.numerics.cached_evaluation import CachedEvaluation
from grammars.numerics.derivative import derivative

# Of larger expressions fewer points are looked at together, so that what is kept fits into memory.
_NODES_FOR_THE_LINE: Final = 500
_ROUNDING: Final = 1e-10


@dataclass(frozen=True)
class Evidence:
    """A function and its slope on the line, computed once.

    Attributes:
        expression: The function, in primitives of the language.
        slope: Its derivative as it is computed: 0 where a guard holds an argument back.
        true_slope: The derivative of the mathematical function.
        places: Where the function may go from one piece to another.
        points: The line, and both sides of the places that lie beyond the even grid, in order.
        values: Of the function there.
        slopes: Of the slope there; no number where there is no value, whatever the rules of
            differentiation say, and none at the places themselves that lie beyond.
        on_line: Which of the points are those of the line.
        is_held: At which of them a guard shows.
    """

    expression: Expression
    slope: Expression
    true_slope: Expression
    places: tuple[float, ...]
    points: numpy.ndarray
    values: numpy.ndarray
    slopes: numpy.ndarray
    on_line: numpy.ndarray
    is_held: numpy.ndarray


def evidence(expression: Expression) -> Evidence:
    """Looks at a function.

    Args:
        expression: In primitives of the language.
    """
    slope, true_slope = derivative(expression), derivative(expression, guarded=False)
    places = switching_places(canonical(expression))
    points, on_line = _points(places)
    forms = [expression, slope] if slope == true_slope else [expression, slope, true_slope]
    values, slopes, *rest = _evaluated(forms, points)
    is_held = _differ(slopes, rest[0]) if rest else numpy.zeros(points.shape, bool)
    # Where pieces meet beyond the grid, the slope is that of either: it is looked at beside.
    has_slope = ~numpy.isnan(values) & (on_line | ~numpy.isin(numpy.abs(points), numpy.abs(places)))
    slopes = numpy.where(has_slope, slopes, numpy.nan)
    return Evidence(expression, slope, true_slope, places, points, values, slopes, on_line, is_held)


def _differ(slopes: numpy.ndarray, true_slopes: numpy.ndarray) -> numpy.ndarray:
    """Where two slopes are not the same: a guard that changes nothing is none."""
    with numpy.errstate(invalid="ignore"):
        apart = numpy.abs(slopes - true_slopes) > _ROUNDING * (1 + numpy.abs(slopes))
    differ: numpy.ndarray = apart | (numpy.isnan(slopes) != numpy.isnan(true_slopes))
    return differ


def _points(places: Sequence[float]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The points to look at, and which are those of the line."""
    # On both sides of 0, so that the points of an even function stay in pairs.
    beyond = numpy.unique([abs(place) for place in places if abs(place) > REACH])
    if not beyond.size:
        return LINE, numpy.ones(LINE.shape, bool)
    steps = step_beside(beyond)
    near = numpy.concatenate([beyond - steps, beyond, beyond + steps])
    points = numpy.concatenate([LINE, near, -near])
    order = numpy.argsort(points, kind="stable")
    return points[order], order < LINE.size


def _evaluated(forms: Sequence[Expression], points: numpy.ndarray) -> numpy.ndarray:
    """Values of each form; a slope repeats much of its function, which is computed once."""
    parts = 1 + sum(form.size for form in forms) // _NODES_FOR_THE_LINE
    chunks = numpy.array_split(points, parts)
    return numpy.concatenate([CachedEvaluation(chunk)(forms) for chunk in chunks], axis=1)
