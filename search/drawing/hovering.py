"""What a figure of the page tells of the place under the pointer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy

from search.drawing.panels import Panel
from search.texts.shortening import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_POINTS: Final = 100
_LONGEST_NAME: Final = 28
_POINTS_AN_INCH: Final = 72


def hovering(figure: Figure, panel: Panel) -> dict[str, Any]:
    """The axes of a figure that was drawn, with its lines or marks, for the page's script.

    Args:
        figure: With one pair of axes, laid out.
        panel: That was drawn.

    Returns:
        `box`: left, top, width and height of the axes in the SVG's units; `x` and `y`: their
        limits; `log`: whether y is logarithmic; `label`: of the x axis; `rows` and `marks`: see
        `Panel`; `series`: name, xs and ys of each line.
    """
    (axes,) = figure.axes
    wide, tall = (_POINTS_AN_INCH * inches for inches in figure.get_size_inches())
    place = axes.get_position()
    box = (place.x0 * wide, (1 - place.y1) * tall, place.width * wide, place.height * tall)
    return {
        "box": [round(float(length), 1) for length in box],
        "x": _short(axes.get_xlim()),
        "y": _short(axes.get_ylim()),
        "log": axes.get_yscale() == "log",
        "label": axes.get_xlabel(),
        "rows": panel.has_rows,
        "marks": [[*_short((x, y)), text] for x, y, text in panel.marks],
        "series": [] if panel.marks else list(_series(axes)),
    }


def _series(axes: Axes) -> Iterator[list[Any]]:
    for line in axes.get_lines():
        name = str(line.get_label())
        xs, ys = (numpy.asarray(data, float) for data in line.get_data())
        # A line without a label is no function, and one of two points is a limit.
        if name.startswith("_") or len(xs) < 3:
            continue
        every = slice(None, None, max(1, math.ceil(len(xs) / _MOST_POINTS)))
        yield [
            shorten(name.partition(": ")[0], _LONGEST_NAME),
            _short(xs[every]),
            _short(ys[every]),
        ]


def _short(values: Any) -> list[float | None]:
    """Four digits, and nothing where a function has no value."""
    return [float(f"{value:.4g}") if math.isfinite(value) else None for value in values]
