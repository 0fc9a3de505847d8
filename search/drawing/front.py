"""The Pareto front: score against cost, each point by its number in a list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evaluators.statistics.comparison import listed
from search.candidates.objectives import OBJECTIVES, front_of, on_highest_rung
from search.candidates.racing import Standing
from search.drawing.limits import score_limits
from search.drawing.panels import Panel, PictureError, write
from search.drawing.points import draw_list, draw_points
from search.drawing.styles import COLOURS, FAINT, INK
from search.texts.shortening import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRONT_COLOUR: Final = COLOURS[1]
FRONT_LABEL: Final = "Pareto front"

# Of numbers around their points, in points of the type.
_PLACES: Final = ((8, 7), (-8, 7), (8, -7), (-8, -7), (0, 10), (0, -10), (10, 0), (-10, 0))
_POINTS_AN_INCH: Final = 72
# What the numbers of the first and the last need above and below.
_LABEL_SHARE: Final = 0.06
_LISTED: Final = 16
_LONGEST_LINE: Final = 44


def front_panel(standings: Sequence[Standing]) -> Panel:
    """Score against cost of all on the highest rung; the front is numbered from its best."""
    compared, front = on_highest_rung(standings), front_of(standings)
    return Panel(
        "front",
        "score (higher is better) against cost",
        f"{len(front)} of {len(compared)} functions are surpassed by no other in "
        f"{listed(list(OBJECTIVES))} at once; the table below lists them.",
        partial(_draw, compared=compared, front=front),
        marks=tuple(
            (x, y, _line(number, standing).strip())
            for number, (standing, x, y) in enumerate(zip(front, *_points(front), strict=True), 1)
        ),
    )


def draw_front(standings: Sequence[Standing], output: Path) -> list[Standing]:
    """Draws what no other candidate dominates among all others in grey, and lists it beside.

    Args:
        standings: Of a campaign; those on the highest rung reached are drawn.
        output: File to write; its suffix, such as .png, .svg or .pdf, decides the format.

    Returns:
        The front, best first.

    Raises:
        PictureError: If nothing was scored, or its suffix is no format.
    """
    if not standings:
        raise PictureError("there is no scored candidate to draw")
    front = front_of(standings)
    beside = Panel(
        "front-list",
        "the front, best first",
        "The functions of the front.",
        partial(_list, front=front),
        has_legend=False,
    )
    write([front_panel(standings), beside], output)
    return front


def _draw(axes: Axes, *, compared: Sequence[Standing], front: Sequence[Standing]) -> None:
    members = {standing.candidate.id for standing in front}
    others = [standing for standing in compared if standing.candidate.id not in members]
    draw_points(axes, *_points(others), size=12, colour=FAINT, label="surpassed")
    draw_points(axes, *_points(front), size=34, colour=FRONT_COLOUR, label=FRONT_LABEL)
    _, scores = _points(compared)
    low, high = score_limits(scores, kept=_points(front)[1])
    margin = _LABEL_SHARE * (high - low)
    axes.set_ylim(low - margin, high + margin)
    axes.margins(x=0.08)
    axes.set_xlabel(OBJECTIVES["cost"].meaning)
    _number(axes, list(zip(*_points(front), strict=True)))


def _number(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """Numbers beside points, each where there is no other point or number, if there is room."""
    dots = axes.transData.transform(points) * _POINTS_AN_INCH / axes.figure.dpi
    taken = [*map(tuple, dots)]
    for number, (point, (across, up)) in enumerate(zip(points, dots, strict=True), 1):
        x, y = max(
            _PLACES,
            key=lambda place: min(
                math.dist((across + place[0], up + place[1]), other) for other in taken
            ),
        )
        taken.append((across + x, up + y))
        axes.annotate(
            str(number),
            point,
            xytext=(x, y),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8.5,
            color=INK,
        )


def _list(axes: Axes, *, front: Sequence[Standing]) -> None:
    lines = [_line(number, standing) for number, standing in enumerate(front[:_LISTED], 1)]
    if len(front) > _LISTED:
        lines.append(f"and {len(front) - _LISTED} more")
    draw_list(axes, lines)


def _line(number: int, standing: Standing) -> str:
    expression = shorten(standing.candidate.readable, _LONGEST_LINE)
    return f"{number:>2}  {expression} ({OBJECTIVES['size'].written(standing)} nodes)"


def _points(standings: Sequence[Standing]) -> tuple[list[float], list[float]]:
    """Costs and scores."""
    cost, score = OBJECTIVES["cost"], OBJECTIVES["score"]
    return [*map(cost.value, standings)], [*map(score.value, standings)]
