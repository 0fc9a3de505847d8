"""The figures of finals: how the functions learn, and how far apart they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Final

from evaluators.evaluation.evaluation import Outcome
from evaluators.statistics.comparison import Comparison, Finding, verdict
from search.drawing import Panel
from search.drawing.styles import FAINT, INK, Style
from search.finals import Entrant, EntrantResults, Finals
from search.report.figures import styled
from search.report.findings import Findings
from search.report.wording import signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS: Final = {
    Finding.BETTER: "^",
    Finding.WORSE: "v",
    Finding.INDISTINGUISHABLE: "o",
    Finding.NOT_COMPARED: "x",
    Finding.NOT_TESTED: "x",
}
_ROW_INCHES: Final = 0.24

_Learner = tuple[EntrantResults, Style, str]
"""Its results, how it is drawn, and its name."""


def learning_panels(found: Findings, finals: Finals) -> list[Panel]:
    """Validation loss and accuracy by steps, with bands over the seeds; empty without curves."""
    drawn = list(_learners(found, finals))
    if not drawn:
        return []
    seeds, names = len(finals.first.seeds), ", ".join(label for _, _, label in drawn)
    about = f"by training steps, for {names}: mean and standard deviation over {seeds} seeds."
    return [
        Panel(
            "learning-loss",
            "validation loss (lower is better)",
            f"Validation loss {about}",
            lambda axes: _draw_learning(axes, drawn, "validation_loss"),
        ),
        Panel(
            "learning-accuracy",
            "validation accuracy, %",
            f"Validation accuracy {about}",
            lambda axes: _draw_learning(axes, drawn, "validation_accuracy"),
        ),
    ]


def forest_panels(found: Findings, finals: Finals) -> list[Panel]:
    """For each rival the differences of all functions from it, with their intervals."""
    return [
        Panel(
            f"finals-{rival}",
            finals.plan.measure.title.format(rival=finals.plan.titles[rival]),
            _described(found, finals, pairs),
            lambda axes, pairs=pairs: _draw_forest(axes, pairs, found, finals),  # type: ignore[misc]
            width_inches=3.1,
            height_inches=0.75 + _ROW_INCHES * len(pairs),
            has_rows=True,
            marks=tuple(_marks(pairs, found, finals)),
        )
        for rival in finals.plan.rivals
        if (pairs := list(_compared(found, finals, rival)))
    ]


def _learners(found: Findings, finals: Finals) -> Iterator[_Learner]:
    """The rows of winners and rivals that have a curve of more than one point, with their names."""
    rows = {row.entrant.candidate_id: row for row in finals.first.rows}
    for standing, style in styled(found):
        row = rows.get(standing.candidate.id)
        if row and any(len(run.curve) > 1 for run in row.runs):
            yield row, style, found.name_of(row.entrant.candidate_id, row.entrant.label)


def _draw_learning(axes: Axes, drawn: Sequence[_Learner], figure: str) -> None:
    is_loss = figure == "validation_loss"
    for row, style, label in drawn:
        steps, means, deviations = _band(row, figure, scale=1.0 if is_loss else 100.0)
        low = [mean - deviation for mean, deviation in zip(means, deviations, strict=True)]
        high = [mean + deviation for mean, deviation in zip(means, deviations, strict=True)]
        axes.fill_between(steps, low, high, color=style.colour, alpha=0.16, linewidth=0)
        axes.plot(steps, means, label=label, **style.line)
    if is_loss:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(_plain_numbers)
        axes.yaxis.set_minor_formatter(_plain_numbers)
    axes.set_xlabel("steps")


def _plain_numbers(value: float, position: float) -> str:
    """Few labels, none of them as a power of ten."""
    leading = int(f"{value:e}"[0])
    return f"{value:g}" if leading in (1, 2, 5) else ""


def _band(
    row: EntrantResults, figure: str, *, scale: float
) -> tuple[list[int], list[float], list[float]]:
    """Steps, means and standard deviations over the runs that reached their end."""
    curves = [run.curve for run in row.runs if run.outcome is Outcome.SCORED]
    steps, means, deviations = [], [], []
    for points in zip(*curves, strict=True):
        values = [scale * getattr(point, figure) for point in points]
        steps.append(points[0].steps)
        means.append(fmean(values))
        deviations.append(stdev(values) if len(values) > 1 else 0.0)
    return steps, means, deviations


def _compared(found: Findings, finals: Finals, rival: str) -> Iterator[tuple[Entrant, Comparison]]:
    """Finalists and rivals; what is far worse would press them together, and is in the table."""
    for row in found.finals_rows:
        if row.entrant.role == "baseline" and row.entrant.key not in finals.plan.rivals:
            continue
        comparison = finals.own.comparison(row.entrant.candidate_id, rival)
        if comparison is not None and comparison.difference is not None:
            yield row.entrant, comparison


def _described(found: Findings, finals: Finals, pairs: Sequence[tuple[Entrant, Comparison]]) -> str:
    measure = finals.plan.measure
    said = "; ".join(
        f"{_margin_name(entrant, found)} is "
        + verdict([pair], titles=finals.plan.titles, unit=measure.unit, digits=measure.digits)
        for entrant, pair in pairs
    )
    return f"Differences in {measure.name} with corrected intervals. {said}."


def _draw_forest(
    axes: Axes, pairs: Sequence[tuple[Entrant, Comparison]], found: Findings, finals: Finals
) -> None:
    colours = {standing.candidate.id: style.colour for standing, style in styled(found)}
    axes.axvline(0.0, color=INK, linewidth=0.9)
    for row, (entrant, pair) in enumerate(pairs):
        label = found.name_of(entrant.candidate_id, entrant.label)
        # What has no short name is named in the margin, and needs no legend.
        label = label if entrant.role == "finalist" else "_"
        _draw_interval(axes, row, pair, colours.get(entrant.candidate_id, FAINT), label=label)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_yticks(range(len(pairs)), [_margin_name(entrant, found) for entrant, _ in pairs])
    axes.set_xlabel(f"{finals.plan.measure.name}; right of 0 is better")


def _margin_name(entrant: Entrant, found: Findings) -> str:
    return found.short_names.get(entrant.candidate_id, entrant.label)


def _marks(
    pairs: Sequence[tuple[Entrant, Comparison]], found: Findings, finals: Finals
) -> Iterator[tuple[float, float, str]]:
    """What the page says of each interval under the pointer."""
    digits = finals.plan.measure.digits
    for row, (entrant, pair) in enumerate(pairs):
        assert pair.difference is not None
        ends = [signed(end, digits) for end in (pair.low, pair.high) if end is not None]
        interval = f" ({' to '.join(ends)})" if ends else ""
        name = _margin_name(entrant, found)
        yield pair.difference, row, f"{name}: {signed(pair.difference, digits)}{interval}"


def _draw_interval(axes: Axes, row: int, pair: Comparison, colour: str, *, label: str) -> None:
    assert pair.difference is not None
    if pair.low is not None and pair.high is not None:
        axes.plot([pair.low, pair.high], [row, row], color=colour, linewidth=1.8, label=label)
    marker = _MARKERS[pair.finding]
    axes.plot([pair.difference], [row], marker=marker, markersize=5.5, color=colour)
