"""The map of shapes: functions as points, those of like shape near each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy

from evaluators.probing.likeness import oriented
from grammars import Expression, title_of
from search.drawing.panels import Panel
from search.drawing.points import draw_list, draw_points
from search.drawing.styles import COLOURS, FAINT, INK
from search.texts.shortening import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DRAWN: Final = 2_000
_NUMBERED: Final = 12
# Share of the map's width within which labels would cover each other.
_TOGETHER: Final = 0.06
_LONGEST_LINE: Final = 44
_WIDTH_INCHES: Final = 5.6
_HEIGHT_INCHES: Final = 4.6


@dataclass(frozen=True)
class Charted:
    """A function on the map.

    Attributes:
        function: What it is.
        label: What it is called.
    """

    function: Expression
    label: str


def shape_map(
    found: Sequence[Charted], published: Sequence[Charted], *, title: str
) -> tuple[Panel, Panel]:
    """Functions in the plane that shows most of how their shapes differ, and the list of the best.

    The plane is that of the first two principal components of their places (Pearson, On Lines and
    Planes of Closest Fit, 1901); see `evaluators.probing.likeness`. Functions are turned to the
    side on which they are most like GELU.

    Args:
        found: Best first; the first twelve are numbered and listed, at most 2,000 are drawn.
        published: Drawn by their titles.
        title: Above the map.
    """
    from sklearn.decomposition import PCA

    drawn = [*found[:_DRAWN], *published]
    plane = PCA(2, svd_solver="full")
    points = plane.fit_transform(oriented([each.function for each in drawn]))
    share = round(100 * float(plane.explained_variance_ratio_.sum()))
    count = len(drawn) - len(published)
    names = [title_of(each.label) for each in published]
    draw = partial(_draw, points=points[:count], names=names, named=points[count:])
    return (
        Panel(
            "shape-map",
            f"{title}; the plane holds {share} % of how they differ",
            f"A map of {count} functions by shape among {len(published)} published ones.",
            draw,
            _WIDTH_INCHES,
            _HEIGHT_INCHES,
        ),
        Panel(
            "shape-map-list",
            "the best, best first",
            "The functions with numbers.",
            partial(_list, labels=[each.label for each in found[:_NUMBERED]]),
            has_legend=False,
        ),
    )


def _draw(axes: Axes, *, points: numpy.ndarray, names: Sequence[str], named: numpy.ndarray) -> None:
    best = min(max(_NUMBERED, len(points) // 10), len(points))
    if best < len(points):
        draw_points(axes, *points[best:].T, size=10, colour=FAINT, label="found")
    draw_points(axes, *points[:best].T, size=16, colour=COLOURS[0], label=f"the best {best}")
    draw_points(axes, *named.T, size=26, colour=COLOURS[1], label="published")
    reach = _TOGETHER * numpy.ptp(numpy.vstack([points, named]), axis=0)
    for place, together in _joined(names, named, reach).items():
        _annotate(axes, "\n".join(together), place, offset=(5, -2), top=True)
    numbers = [str(number) for number in range(1, min(_NUMBERED, len(points)) + 1)]
    for place, together in _joined(numbers, points, reach).items():
        _annotate(axes, ", ".join(together), place, offset=(3, 3), top=False)
    axes.set_xticklabels([])
    axes.set_yticklabels([])
    axes.margins(0.1)


def _joined(
    labels: Sequence[str], points: numpy.ndarray, reach: numpy.ndarray
) -> dict[tuple[float, float], list[str]]:
    """Labels by where they stand; those that would cover each other stand together."""
    found: dict[tuple[float, float], list[str]] = {}
    for label, (x, y) in zip(labels, points, strict=False):
        near = (at for at in found if abs(at[0] - x) < reach[0] and abs(at[1] - y) < reach[1])
        found.setdefault(next(near, (x, y)), []).append(label)
    return found


def _annotate(
    axes: Axes, text: str, point: tuple[float, float], *, offset: tuple[int, int], top: bool
) -> None:
    axes.annotate(
        text,
        point,
        xytext=offset,
        textcoords="offset points",
        fontsize=7.5,
        color=COLOURS[1] if top else INK,
        va="top" if top else "bottom",
        parse_math=False,
    )


def _list(axes: Axes, *, labels: Sequence[str]) -> None:
    lines = (f"{n:>2}  {shorten(label, _LONGEST_LINE)}" for n, label in enumerate(labels, 1))
    draw_list(axes, lines)
