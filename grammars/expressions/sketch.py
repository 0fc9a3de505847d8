"""A small picture of a function beside ReLU, as the text of an SVG element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy

X_LIMIT: Final = 5.0
"""Functions are drawn from minus this to this, and cut where they leave it upwards or downwards."""

_LARGEST_Y: Final = X_LIMIT
_SMALLEST_SPAN: Final = 1.0
_MARGIN: Final = 0.06
_BEHIND: Final = "stroke='#8a939c' stroke-width='2'"
_DRAWN: Final = "stroke='#0a84d0' stroke-width='2.2'"
_FRAME: Final = "stroke-opacity='.25' stroke='currentColor' fill='none'"


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


def sketch(
    title: str,
    row: numpy.ndarray,
    beside: numpy.ndarray,
    *further: numpy.ndarray,
    size: tuple[int, int] = (240, 170),
) -> str:
    """An `<svg>` in the colours of the page around it, light or dark.

    Args:
        title: One line above it, plain characters without markup.
        row: Values at points that are evenly spaced over the range that is drawn; it is
            interrupted where they are not finite.
        beside: As many values of what is drawn in grey behind it.
        further: As many of each function that is drawn with it, dashed.
        size: Width and height below the title, in pixels.
    """
    low, high = function_limits([row, beside, *further])
    wide, tall = size

    def height(value: float) -> float:
        return tall * (high - value) / (high - low)

    def line(values: numpy.ndarray, look: str) -> str:
        horizontal = numpy.linspace(0.0, wide, len(values))
        pieces, pen = [], "M"
        for across, value in zip(horizontal, values, strict=True):
            is_seen = bool(numpy.isfinite(value)) and low <= value <= high
            if is_seen:
                pieces.append(f"{pen}{across:.1f} {height(float(value)):.1f}")
            pen = "L" if is_seen else "M"
        return f"<path d='{''.join(pieces)}' fill='none' {look}/>"

    axes = f"M0 {height(0.0):.1f}H{wide}" if low <= 0.0 <= high else ""
    return (
        f"<svg viewBox='-4 -20 {wide + 8} {tall + 24}' width='{wide + 8}' role='img' "
        f"aria-label='{title} from -5 to 5'>"
        f"<text x='0' y='-6' font-size='12' fill='currentColor'>{title}</text>"
        f"<path d='{axes}M{wide / 2} 0V{tall}' {_FRAME}/>"
        f"{line(beside, _BEHIND)}{line(row, _DRAWN)}"
        f"{''.join(line(each, _dashed(number)) for number, each in enumerate(further))}</svg>"
    )


def _dashed(number: int) -> str:
    return f"{_DRAWN} stroke-dasharray='{7 - 2 * (number % 3)} 3'"
