"""How far functions are apart in shape, in a unit that people know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from evaluators.probing.shapes import shape
from grammars import Call, Expression, Variable, parse
from grammars.catalogue import definitions
from grammars.expressions.expression import substitute

UNIT: Final = ("gelu", "swish")
"""Two published functions: the distance between them is 1."""

# Beyond so many standard deviations of the published functions a feature tells nothing more.
_FARTHEST: Final = 3.0
_X: Final = Variable()


def apart(first: Sequence[Expression], second: Sequence[Expression]) -> float:
    """Distance of shapes: 0 for functions that a network cannot tell apart, 1 for GELU and Swish.

    It is the root mean square of the differences of all features, each in standard deviations over
    the published functions. Networks begin with weights as often negative as positive, so that
    f(x), f(-x), -f(x) and -f(-x) are worth the same to them: the nearest of these counts.

    Args:
        first: A function, or one for each layer.
        second: As many.

    Raises:
        ValueError: If they are not as many.
    """
    distances = [_distance(one, other) for one, other in zip(first, second, strict=True)]
    return float(np.sqrt(np.mean(np.square(distances)))) / _unit()


def places(functions: Sequence[Expression]) -> np.ndarray:
    """Where functions lie: their shapes in standard deviations of the published functions.

    Differences of places are what `apart` measures, but for its mirror images.

    Returns:
        [functions, features].
    """
    centre, scale = _published()
    shapes = np.stack([shape(each) for each in functions])
    bounded: np.ndarray = np.clip((shapes - centre) / scale, -_FARTHEST, _FARTHEST)
    return bounded


def _distance(one: Expression, other: Expression) -> float:
    (here,) = places([one])
    mirrored = substitute(other, Call("neg", (_X,)))
    forms = (other, mirrored, Call("neg", (other,)), Call("neg", (mirrored,)))
    squares = ((places(forms) - here) ** 2).mean(axis=1)
    return float(np.sqrt(squares.min()))


@cache
def _unit() -> float:
    return _distance(*map(parse, UNIT))


@cache
def _published() -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature over the catalogue."""
    shapes = np.stack([shape(each) for each in definitions().values()])
    scale = shapes.std(axis=0)
    return shapes.mean(axis=0), np.where(scale > 0.0, scale, 1.0)
