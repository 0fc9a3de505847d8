"""The figures of a search: its functions, its progress and its Pareto front."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy

from grammars import Activation, Expression, Layered, canonical, evaluate
from search.pictures import LARGEST_Y, SMALLEST_SPAN, X_LIMIT, slope
from search.racing import Standing
from search.report.drawing import (
    FAINT,
    INK,
    MUTED,
    RIVAL_DASHES,
    WINNERS,
    Panel,
    Style,
    rival_style,
    winner_style,
)
from search.report.findings import Findings
from search.strategies.objectives import Price, pareto_front

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS: Final = 400
# What lies far below the median would press everything that matters against the upper edge.
_LOWEST_SHOWN: Final = 0.1
_LONGEST_LABEL: Final = 32
_BELOW: Final = (-4, -3, "right", "top")
_DISPLAYED: Final = {"relu": "ReLU", "swish": "Swish", "gelu": "GELU", "elu": "ELU"}


def shown_name(standing: Standing) -> str:
    """A published function by its usual name, another by its canonical form."""
    candidate = standing.candidate
    if candidate.origin == "baseline":
        return baseline_name(candidate.variation)
    return str(candidate.canonical)


def baseline_name(name: str) -> str:
    """A catalogue name as it is usually written."""
    return _DISPLAYED.get(name, name.replace("_", " "))


def shorten(text: str, longest: int = _LONGEST_LABEL) -> str:
    """The beginning of a text that is too long for where it stands."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def styled(findings: Findings) -> list[tuple[Standing, Style]]:
    """Rivals, then winners on top of them, each with its style for the whole report."""
    rivals = [(standing, rival_style(place)) for place, standing in enumerate(findings.rivals)]
    winners = [(standing, winner_style(place)) for place, standing in enumerate(findings.winners)]
    return [*rivals, *winners]


def curves(findings: Findings) -> list[tuple[str, Expression, Style]]:
    """Name, function and style of every curve: of a winner with several functions, one for each.

    These share its colour, and are told apart by dashes.
    """
    found: list[tuple[str, Expression, Style]] = []
    for standing, style in styled(findings):
        expression = standing.candidate.expression
        if not isinstance(expression, Layered):
            found.append((shown_name(standing), expression, style))
            continue
        dashes = itertools.cycle(RIVAL_DASHES)
        for (place, function), dash in zip(expression.by_place.items(), dashes, strict=False):
            found.append((f"{place}: {canonical(function)}", function, replace(style, dash=dash)))
    return found


def function_panels(findings: Findings) -> list[Panel]:
    """f on one panel, f' on another, winners beside ReLU, Swish and GELU."""
    names = ", ".join(name for name, _, _ in curves(findings))
    return [
        Panel(
            "functions",
            "f(x)",
            f"Graphs of {names} for x from -5 to 5.",
            lambda axes: _draw_functions(axes, findings, slopes=False),
        ),
        Panel(
            "slopes",
            "df/dx",
            f"Graphs of the derivatives of {names} for x from -5 to 5.",
            lambda axes: _draw_functions(axes, findings, slopes=True),
        ),
    ]


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
    )


def progress_legend(findings: Findings) -> list[tuple[str, Mapping[str, str]]]:
    """Labels and sample lines of what `progress_panel` shows."""
    highest = max((attempt.rung for attempt in findings.attempts), default=0)
    rungs = [(label, Style(colour, "").swatch) for _, colour, label in _rungs(highest)]
    rivals = [(shown_name(r), rival_style(n).swatch) for n, r in enumerate(findings.rivals)]
    front = ("Pareto front", Style(WINNERS[1], "").swatch)
    return [*rungs, ("best so far", Style(INK).swatch), *rivals, front]


def front_panel(findings: Findings) -> Panel:
    """Score against arithmetic; the front is numbered from its best."""
    front = front_of(findings)
    return Panel(
        "front",
        "score (higher is better) against cost",
        f"{len(front)} of {len(_compared(findings))} functions are surpassed by no other in score, "
        "cost and size at once; the table below lists them.",
        lambda axes: _draw_front(axes, findings, front),
    )


def front_of(findings: Findings) -> list[Standing]:
    """What no other function surpasses in score, cost and size, best first."""
    return pareto_front(_compared(findings))


def cost_of(activation: Activation) -> float:
    """Arithmetic of value and slope in units of ReLU's."""
    return Price.of(activation).cost


def _draw_functions(axes: Axes, findings: Findings, *, slopes: bool) -> None:
    x = numpy.linspace(-X_LIMIT, X_LIMIT, _POINTS)
    rows = []
    for name, function, style in curves(findings):
        rows.append(slope(function, x) if slopes else evaluate(function, x))
        (line,) = axes.plot(x, rows[-1], label=shorten(name), **style.line)
        line.set_gid(f"line-{len(rows)}")
    axes.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0)
    axes.set_xlim(-X_LIMIT, X_LIMIT)
    axes.set_ylim(*_limits(rows))
    axes.set_xlabel("x")


def _limits(rows: Sequence[numpy.ndarray]) -> tuple[float, float]:
    """Shows every function where it is moderate, and cuts it where it explodes."""
    values = numpy.concatenate(rows)
    moderate = values[numpy.isfinite(values) & (numpy.abs(values) <= LARGEST_Y)]
    low, high = (moderate.min(), moderate.max()) if moderate.size else (-1.0, 1.0)
    margin = 0.06 * max(high - low, SMALLEST_SPAN)
    return float(low - margin), float(high + margin)


def _draw_progress(axes: Axes, findings: Findings) -> None:
    scored = [(n, a, a.evaluation.score) for n, a in enumerate(findings.attempts, 1)]
    highest = max((attempt.rung for attempt in findings.attempts), default=0)
    for rungs, colour, label in _rungs(highest):
        points = [(n, score) for n, a, score in scored if score is not None and a.rung in rungs]
        _scatter(axes, points, size=7, colour=colour, label=label)
    if leaders := _leaders(findings):
        numbers, best = zip(*leaders, (len(scored), leaders[-1][1]), strict=True)
        axes.step(numbers, best, where="post", color=INK, linewidth=1.3, label="best so far")
    for place, rival in enumerate(findings.rivals):
        style = rival_style(place)
        axes.axhline(rival.rank_key[1], label=shown_name(rival), zorder=0, **style.line)
    if shown := [score for _, _, score in scored if score is not None]:
        low, high = float(numpy.quantile(shown, _LOWEST_SHOWN)), max(shown)
        axes.set_ylim(low, high + 0.06 * max(high - low, 1e-3))
    axes.set_xlabel("evaluations")


def _scatter(
    axes: Axes, points: Sequence[tuple[float, float]], *, size: int, colour: str, label: str
) -> None:
    if points:
        x, y = zip(*points, strict=True)
        axes.scatter(x, y, s=size, color=colour, linewidths=0, label=label)


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


def _compared(findings: Findings) -> list[Standing]:
    """Those on the highest rung; scores of different rungs can't be compared."""
    highest = findings.standings[0].rung
    return [standing for standing in findings.standings if standing.rung == highest]


def _draw_front(axes: Axes, findings: Findings, front: Sequence[Standing]) -> None:
    compared = _compared(findings)
    others = [_place(standing) for standing in compared if standing not in front]
    _scatter(axes, others, size=12, colour=FAINT, label="surpassed")
    _scatter(axes, list(map(_place, front)), size=34, colour=WINNERS[1], label="Pareto front")
    for number, standing in enumerate(front, 1):
        # Neighbours on the front have their numbers on opposite sides.
        x, y, horizontal, vertical = (4, 3, "left", "bottom") if number % 2 else _BELOW
        axes.annotate(
            str(number),
            _place(standing),
            xytext=(x, y),
            textcoords="offset points",
            ha=horizontal,
            va=vertical,
            fontsize=8.5,
            color=INK,
        )
    shown = [standing.rank_key[1] for standing in compared]
    low = min(float(numpy.quantile(shown, _LOWEST_SHOWN)), *(_place(s)[1] for s in front))
    axes.set_ylim(low - 0.05, max(shown) + 0.08 * max(max(shown) - low, 1e-3))
    axes.margins(x=0.08)
    axes.set_xlabel("cost of value and slope, in units of ReLU's")


def _place(standing: Standing) -> tuple[float, float]:
    """Cost and score."""
    return cost_of(standing.candidate.expression), standing.rank_key[1]
