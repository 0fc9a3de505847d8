"""What a report draws of the watch: how the leader does on tasks that the search does not use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from search.drawing import Panel
from search.drawing.styles import INK, Style, rival_style
from search.report.findings import Findings

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def watch_panels(found: Findings) -> list[Panel]:
    """The leader's lead on tasks that the search does not use; none without a watch."""
    meetings = _meetings(found)
    if not meetings:
        return []
    first, last = (lead for _, lead in (meetings[0], meetings[-1]))
    return [
        Panel(
            "watch",
            "lead on watched tasks, in spreads (higher is better)",
            f"The leader's lead over the best baseline on tasks that the search does not use, in "
            f"{len(meetings)} meetings: from {first:+.2f} to {last:+.2f}.",
            lambda axes: _draw(axes, found),
        )
    ]


def watch_legend(found: Findings) -> list[tuple[str, Mapping[str, str]]]:
    """Labels and sample lines of what `watch_panels` shows."""
    tasks = [(task, rival_style(n).swatch) for n, task in enumerate(_tasks(found))]
    return [("mean", Style(INK).swatch), *tasks]


def _meetings(found: Findings) -> list[tuple[int, float]]:
    return [(s.generation, s.watched.lead) for s in found.generations if s.watched is not None]


def _tasks(found: Findings) -> list[str]:
    tasks = [task for s in found.generations if s.watched for task in s.watched.by_task]
    return list(dict.fromkeys(tasks))


def _draw(axes: Axes, found: Findings) -> None:
    for number, task in enumerate(_tasks(found)):
        points = [
            (s.generation, s.watched.by_task[task])
            for s in found.generations
            if s.watched is not None and task in s.watched.by_task
        ]
        numbers, leads = zip(*points, strict=True)
        axes.plot(numbers, leads, label=task, marker="o", markersize=3, **rival_style(number).line)
    numbers, leads = zip(*_meetings(found), strict=True)
    axes.plot(numbers, leads, label="mean", color=INK, marker="o", markersize=4)
    axes.axhline(0.0, color=INK, linewidth=0.6, linestyle=":")
    axes.set_xlabel("generation")
    axes.locator_params(axis="x", integer=True)
