"""How far functions are apart in shape, in a unit that people know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from evaluators.probing.shapes import NEARBY, mirrored, negated, shapes
from grammars import CachedEvaluation, Expression, parse
from grammars.catalogue import definitions

UNIT: Final = ("gelu", "swish")
"""Two published functions: the distance between them is 1."""

# Beyond so many standard deviations of the published functions a feature tells nothing more.
_FARTHEST: Final = 3.0


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
    return _placed(_shapes(functions))


def oriented(functions: Sequence[Expression]) -> np.ndarray:
    """The same, each function turned to the side on which it is nearest to GELU.

    Returns:
        [functions, features].
    """
    sides = _sides(functions)
    squares = ((sides - places([parse(UNIT[0])])) ** 2).mean(axis=2)
    nearest: np.ndarray = sides[squares.argmin(axis=0), np.arange(len(functions))]
    return nearest


def _distance(one: Expression, other: Expression) -> float:
    squares = ((_sides([other])[:, 0] - places([one])) ** 2).mean(axis=1)
    return float(np.sqrt(squares.min()))


def _sides(functions: Sequence[Expression]) -> np.ndarray:
    """Where f(x), f(-x), -f(x) and -f(-x) lie [sides, functions, features]."""
    there = _shapes(functions)
    behind = mirrored(there)
    return _placed(np.stack([there, behind, negated(there), negated(behind)]))


def _placed(there: np.ndarray) -> np.ndarray:
    centre, scale = _published()
    bounded: np.ndarray = np.clip((there - centre) / scale, -_FARTHEST, _FARTHEST)
    return bounded


def _shapes(functions: Sequence[Expression]) -> np.ndarray:
    return shapes(CachedEvaluation(NEARBY)(functions))


@cache
def _unit() -> float:
    return _distance(*map(parse, UNIT))


@cache
def _published() -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature over the catalogue."""
    there = _shapes(list(definitions().values()))
    scale = there.std(axis=0)
    return there.mean(axis=0), np.where(scale > 0.0, scale, 1.0)
