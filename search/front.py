"""The picture of a Pareto front: score against arithmetic, with the size beside each point."""

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
    axes = figure.subplots()
    axes.scatter(*_points(compared), s=14, color=_OTHERS_COLOUR, label="surpassed")
    axes.scatter(*_points(front), s=40, color=_FRONT_COLOUR, label="Pareto front")
    for standing, cost, score in zip(front, *_points(front), strict=True):
        size = Price.of(standing.candidate.expression).size
        text = f" {_short(str(standing.candidate.canonical))} ({size})"
        # Printed as it is: an expression is no TeX.
        axes.annotate(text, (cost, score), fontsize=7, parse_math=False)
    axes.set_xlabel("cost of value and slope, in units of ReLU's (nodes in brackets)")
    axes.set_ylabel("score (higher is better)")
    axes.legend(frameon=False)
    try:
        figure.savefig(output)
    except ValueError as error:
        raise PictureError(f"cannot write {output}: {error}") from None
    return front


def _points(standings: Sequence[Standing]) -> tuple[list[float], list[float]]:
    costs = [Price.of(standing.candidate.expression).cost for standing in standings]
    scores = [standing.rank_key[1] for standing in standings]
    return costs, scores


def _short(text: str) -> str:
    return text if len(text) <= _LABEL_LENGTH else f"{text[: _LABEL_LENGTH - 1]}…"
