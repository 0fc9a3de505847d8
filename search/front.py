"""The picture of a Pareto front: score against arithmetic, each point by its number in a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from search.pictures import PictureError
from search.racing import Standing
from search.strategies.objectives import Price, pareto_front

_FRONT_COLOUR: Final = "#D55E00"
_OTHERS_COLOUR: Final = "#9a9a9a"
_LABEL_LENGTH: Final = 34
_LISTED: Final = 30
_SMALLEST_SPAN: Final = 0.1


def draw_front(standings: Sequence[Standing], output: Path) -> list[Standing]:
    """Draws what no other candidate surpasses in score, cost and size, among all others in grey.

    Args:
        standings: Of a campaign; those on the highest rung reached are drawn, since scores of
            different rungs can't be compared.
        output: File to write; its suffix (.png, .svg, .pdf) decides the format.

    Returns:
        The front, best first.

    Raises:
        PictureError: If nothing was scored, or matplotlib cannot write such a file.
    """
    from matplotlib.figure import Figure

    if not standings:
        raise PictureError("there is no scored candidate to draw")
    highest = max(standing.rung for standing in standings)
    compared = [standing for standing in standings if standing.rung == highest]
    front = pareto_front(compared)
    figure = Figure(figsize=(9.0, 5.5), layout="constrained")
    axes, beside = figure.subplots(1, 2, width_ratios=(3, 2))
    axes.scatter(*_points(compared), s=14, color=_OTHERS_COLOUR, label="surpassed")
    axes.scatter(*_points(front), s=110, color=_FRONT_COLOUR, label="Pareto front", zorder=3)
    for number, point in enumerate(zip(*_points(front), strict=True), 1):
        axes.annotate(
            str(number), point, ha="center", va="center", fontsize=7, color="white", zorder=4
        )
    axes.set_ylim(*_limits([standing.rank_key[1] for standing in front]))
    axes.set_xlabel("cost of value and slope, in units of ReLU's")
    axes.set_ylabel("score (higher is better)")
    axes.legend(frameon=False, loc="lower right")
    lines = [_line(number, standing) for number, standing in enumerate(front, 1)]
    beside.set_axis_off()
    # Printed as it is: an expression is no TeX.
    beside.text(0.0, 1.0, "\n".join(lines[:_LISTED]), va="top", fontsize=8, parse_math=False)
    try:
        figure.savefig(output)
    except ValueError as error:
        raise PictureError(f"cannot write {output}: {error}") from None
    return front


def _limits(scores: Sequence[float]) -> tuple[float, float]:
    """Where the front lies, and as much below it: what failed badly would flatten it to a line."""
    span = max(max(scores) - min(scores), _SMALLEST_SPAN)
    return min(scores) - 1.5 * span, max(scores) + 0.2 * span


def _line(number: int, standing: Standing) -> str:
    candidate = standing.candidate
    size = Price.of(candidate.expression).size
    return f"{number}  {_short(str(candidate.canonical))} ({size} nodes)"


def _points(standings: Sequence[Standing]) -> tuple[list[float], list[float]]:
    costs = [Price.of(standing.candidate.expression).cost for standing in standings]
    scores = [standing.rank_key[1] for standing in standings]
    return costs, scores


def _short(text: str) -> str:
    return text if len(text) <= _LABEL_LENGTH else f"{text[: _LABEL_LENGTH - 1]}…"
