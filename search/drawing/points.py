"""Draws dots, so many that a vector graphic of them stays small, and the list of those numbered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from search.drawing.styles import INK

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


def draw_list(axes: Axes, lines: Iterable[str]) -> None:
    """Writes lines of text where a picture would be: an expression is no TeX."""
    axes.set_axis_off()
    axes.text(
        0.0,
        1.0,
        "\n".join(lines),
        transform=axes.transAxes,
        va="top",
        fontsize=8,
        linespacing=1.5,
        color=INK,
        parse_math=False,
    )
