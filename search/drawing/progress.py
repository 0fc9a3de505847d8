"""The picture of a campaign's progress: scores and proposals by generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy

from search.drawing.panels import Panel, PictureError, write
from search.drawing.styles import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SCORES: Final = {"best_score": "best", "median_score": "median"}
_PROPOSALS: Final = {"distinct": "distinct", "duplicates": "duplicates", "rejected": "rejected"}


def draw_progress(generations: Sequence[Mapping[str, Any]], output: Path) -> None:
    """Draws how the scores rose, and what became of the proposals, generation by generation.

    Args:
        generations: At least `generation`, `best_score`, `median_score`, `distinct`, `duplicates`
            and `rejected` of each, in order; a score may be None.
        output: File to write; its suffix, such as .png, .svg or .pdf, decides the format.

    Raises:
        PictureError: If there is no generation, or its suffix is no format.
        OSError: If the file cannot be written.
    """
    if not generations:
        raise PictureError("there is no generation to draw; the campaign has not finished one")
    scores = partial(_draw, generations=generations, columns=_SCORES, colours=COLOURS)
    proposals = partial(_draw, generations=generations, columns=_PROPOSALS, colours=COLOURS[2:])
    panels = [
        Panel("scores", "score (higher is better)", "Scores by generation.", scores),
        Panel("proposals", "candidates", "Proposals by generation.", proposals),
    ]
    write(panels, output)


def _draw(
    axes: Axes,
    *,
    generations: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    colours: Sequence[str],
) -> None:
    numbers = _column(generations, "generation")
    for (column, label), colour in zip(columns.items(), colours, strict=False):
        values = _column(generations, column)
        axes.plot(numbers, values, label=label, color=colour, marker="o", markersize=3)
    axes.set_xlabel("generation")
    axes.locator_params(axis="x", integer=True)
    if columns is _PROPOSALS:
        axes.set_ylim(bottom=0)


def _column(generations: Sequence[Mapping[str, Any]], name: str) -> numpy.ndarray:
    values = [generation.get(name) for generation in generations]
    return numpy.array([numpy.nan if value is None else value for value in values], dtype=float)
