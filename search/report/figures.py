"""What a report draws of a search: its functions by name and style, and its progress."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from grammars import Layered, readable, title_of
from search.candidates.racing import Standing
from search.drawing import Graph, Panel
from search.drawing.front import FRONT_COLOUR, FRONT_LABEL
from search.drawing.limits import score_limits
from search.drawing.points import draw_points
from search.drawing.styles import (
    DASHES,
    FAINT,
    INK,
    MUTED,
    WINNERS,
    Style,
    rival_style,
    winner_style,
)
from search.report.findings import Findings
from search.texts.shortening import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def shown_name(standing: Standing) -> str:
    """A published function by its title, another by its formula."""
    candidate = standing.candidate
    if candidate.origin == "baseline":
        return title_of(candidate.variation)
    return candidate.readable


def styled(findings: Findings) -> list[tuple[Standing, Style]]:
    """Rivals, then winners on top of them, each with its style for the whole report."""
    rivals = [(standing, rival_style(n)) for n, standing in enumerate(findings.rivals)]
    winners = [(standing, winner_style(n)) for n, standing in enumerate(findings.winners)]
    return [*rivals, *winners]


def graphs(findings: Findings) -> list[Graph]:
    """Every function that is drawn: of a winner with several functions, one for each of its layers.

    These share its colour, and are told apart by dashes.
    """
    found: list[Graph] = []
    for standing, style in styled(findings):
        expression, name = standing.candidate.expression, standing.candidate.id
        if not isinstance(expression, Layered):
            label = findings.name_of(name, shown_name(standing))
            found.append(Graph(label, expression, style))
            continue
        dashes = itertools.cycle(DASHES)
        for (layer, function), dash in zip(expression.by_layer_name.items(), dashes, strict=False):
            short = findings.short_names.get(name)
            label = f"{f'{short}, ' if short else ''}{layer}: {readable(function)}"
            found.append(Graph(label, function, replace(style, dash=dash)))
    return found


def progress_panel(findings: Findings) -> Panel:
    """Every evaluation's score, in the order in which they were spent."""
    best = [score for _, score in _leaders(findings)]
    return Panel(
        "progress",
        "score (higher is better) against evaluations spent",
        f"Scores of {len(findings.attempts)} evaluations in their order. The best on the highest "
        f"rung rose from {best[0]:.3f} to {best[-1]:.3f}."
        if best
        else "Scores of the evaluations in their order.",
        lambda axes: _draw_progress(axes, findings),
        marks=tuple(
            (number, score, f"evaluation {number}: {score:.3f}, {_evaluated(findings, number)}")
            for number, score in _leaders(findings)
        ),
    )


def progress_legend(findings: Findings) -> list[tuple[str, Mapping[str, str]]]:
    """Labels and sample lines of what `progress_panel` shows."""
    highest = max((attempt.rung for attempt in findings.attempts), default=0)
    rungs = [(label, Style(colour, "").swatch) for _, colour, label in _rungs(highest)]
    rivals = [(shown_name(r), rival_style(n).swatch) for n, r in enumerate(findings.rivals)]
    front = (FRONT_LABEL, Style(FRONT_COLOUR, "").swatch)
    return [*rungs, ("best so far", Style(INK).swatch), *rivals, front]


def _evaluated(findings: Findings, number: int) -> str:
    candidate = findings.candidates[findings.attempts[number - 1].evaluation.candidate_id]
    return findings.name_of(candidate.id, shorten(candidate.readable, 60))


def _draw_progress(axes: Axes, findings: Findings) -> None:
    scored = [(n, a, a.evaluation.score) for n, a in enumerate(findings.attempts, 1)]
    highest = max((attempt.rung for attempt in findings.attempts), default=0)
    for rungs, colour, label in _rungs(highest):
        points = [(n, score) for n, a, score in scored if score is not None and a.rung in rungs]
        if points:
            x, y = zip(*points, strict=True)
            draw_points(axes, x, y, size=7, colour=colour, label=label)
    if leaders := _leaders(findings):
        numbers, best = zip(*leaders, (len(scored), leaders[-1][1]), strict=True)
        axes.step(numbers, best, where="post", color=INK, linewidth=1.3, label="best so far")
    for number, rival in enumerate(findings.rivals):
        style = rival_style(number)
        axes.axhline(rival.rank_key[1], label=shown_name(rival), zorder=0, **style.line)
    if shown := [score for _, _, score in scored if score is not None]:
        axes.set_ylim(*score_limits(shown))
    axes.set_xlabel("evaluations")


def _rungs(highest: int) -> Iterator[tuple[range, str, str]]:
    """The rungs by what they are told apart by: colour and label."""
    yield range(1), FAINT, "first rung" if highest else "evaluations"
    if highest > 1:
        yield range(1, highest), MUTED, "rungs between" if highest > 2 else "second rung"
    if highest:
        yield range(highest, highest + 1), WINNERS[0], "highest rung"


def _leaders(findings: Findings) -> list[tuple[int, float]]:
    """Number and score of each evaluation of a discovery that surpassed all before it."""
    highest = max((attempt.rung for attempt in findings.attempts), default=0)
    leaders: list[tuple[int, float]] = []
    for number, attempt in enumerate(findings.attempts, 1):
        score = attempt.evaluation.score
        if score is None or attempt.rung != highest or attempt.is_baseline:
            continue
        if not leaders or score > leaders[-1][1]:
            leaders.append((number, score))
    return leaders
