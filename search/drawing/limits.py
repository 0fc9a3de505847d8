"""What part of a figure's scores it shows: few that are far away would flatten all the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy

_MARGIN: Final = 0.06
# The share of scores that may lie below the figure.
_LOWEST_SHOWN: Final = 0.1
_SMALLEST_SCORE_SPAN: Final = 0.1


def score_limits(scores: Sequence[float], *, kept: Iterable[float] = ()) -> tuple[float, float]:
    """Shows the best of the scores and most of the others, and those to be kept in any case."""
    low = min(float(numpy.quantile(scores, _LOWEST_SHOWN)), *kept, max(scores))
    margin = _MARGIN * max(max(scores) - low, _SMALLEST_SCORE_SPAN)
    return low - margin, max(scores) + margin
