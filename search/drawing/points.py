"""Draws dots, however many there are, so that a vector graphic of them stays small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_VECTORS: Final = 2_000
"""Dots that a vector graphic describes one by one; more of them become one image within it."""


def draw_points(
    axes: Axes, x: Sequence[float], y: Sequence[float], *, size: int, colour: str, label: str
) -> None:
    """Draws a dot for each pair of coordinates.

    Args:
        axes: To draw on.
        x: Coordinates.
        y: As many.
        size: Area of a dot in square points.
        colour: Of all dots.
        label: For the legend.
    """
    is_image = len(x) > MOST_VECTORS
    axes.scatter(x, y, s=size, color=colour, linewidths=0, label=label, rasterized=is_image)
