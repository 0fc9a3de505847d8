"""What part of a figure's values it shows: few that are far away would flatten all the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy

# Functions are drawn over this range, and cut where they leave it upwards or downwards.
X_LIMIT: Final = 5.0
_LARGEST_Y: Final = X_LIMIT
_SMALLEST_SPAN: Final = 1.0
_MARGIN: Final = 0.06
# The share of scores that may lie below the figure.
_LOWEST_SHOWN: Final = 0.1
_SMALLEST_SCORE_SPAN: Final = 0.1


def function_limits(rows: Sequence[numpy.ndarray]) -> tuple[float, float]:
    """Shows every function where it is moderate, and cuts it where it explodes.

    Args:
        rows: Values of each function, not all of them finite.
    """
    values = numpy.concatenate(rows)
    moderate = values[numpy.isfinite(values) & (numpy.abs(values) <= _LARGEST_Y)]
    low, high = (moderate.min(), moderate.max()) if moderate.size else (-1.0, 1.0)
    missing = max(0.0, _SMALLEST_SPAN - (high - low)) / 2
    margin = _MARGIN * max(high - low, _SMALLEST_SPAN)
    return float(low - missing - margin), float(high + missing + margin)


def score_limits(scores: Sequence[float], *, kept: Iterable[float] = ()) -> tuple[float, float]:
    """Shows the best of the scores and most of the others, and those to be kept in any case."""
    low = min(float(numpy.quantile(scores, _LOWEST_SHOWN)), *kept, max(scores))
    margin = _MARGIN * max(max(scores) - low, _SMALLEST_SCORE_SPAN)
    return low - margin, max(scores) + margin
