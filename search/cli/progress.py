"""How a campaign looks while it runs: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from search.cli.options import say

if TYPE_CHECKING:
    from search.candidates.generation import GenerationSummary
    from search.candidates.racing import Standing
    from search.candidates.vitals import Forecasting
    from search.settings import Settings

FINALS_LINE_SECONDS: Final = 30.0


class Display(Protocol):
    """An observer of a campaign that also takes messages."""

    def on_progress(self, rung: int, done: int, total: int) -> None: ...

    def on_generation(self, summary: GenerationSummary) -> None: ...

    def on_best(self, standing: Standing) -> None: ...

    def on_finals(self, task: str, done: int, total: int) -> None: ...

    def announce(self, text: str) -> None: ...


@contextmanager
def progress_for(settings: Settings) -> Iterator[Display]:
    """What fits standard error: a live bar if it is a terminal."""
    if sys.stderr.isatty():
        with LiveProgress(settings) as display:
            yield display
    else:
        yield PlainProgress(settings)


class _Rate:
    """Evaluations a second since the start."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._count = 0

    def count(self) -> None:
        self._count += 1

    def __str__(self) -> str:
        return f"{self._count / max(time.monotonic() - self._begun, 1e-9):.1f} evaluations/s"


class PlainProgress:
    """One line a generation."""

    def __init__(self, settings: Settings) -> None:
        self._generations = settings.stop.generations
        self._rate = _Rate()

    def on_progress(self, rung: int, done: int, total: int) -> None:
        self._rate.count()

    def on_generation(self, summary: GenerationSummary) -> None:
        say(f"{_describe(summary, of=self._generations)}; {self._rate}")

    def on_best(self, standing: Standing) -> None:
        pass

    def on_finals(self, task: str, done: int, total: int) -> None:
        pass

    def announce(self, text: str) -> None:
        say(text)


class FinalsProgress:
    """For finals alone: a line every half minute."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def on_progress(self, rung: int, done: int, total: int) -> None:
        pass

    def on_generation(self, summary: GenerationSummary) -> None:
        pass

    def on_best(self, standing: Standing) -> None:
        pass

    def on_finals(self, task: str, done: int, total: int) -> None:
        if (now := time.monotonic()) - self._said >= FINALS_LINE_SECONDS:
            self._said = now
            self.announce(f"finals on {task}: {done} of at most {total} training runs")

    def announce(self, text: str) -> None:
        say(text)


class LiveProgress:
    """A bar over the generations; the running generation is a second one."""

    def __init__(self, settings: Settings) -> None:
        self._generations = settings.stop.generations
        self._rate = _Rate()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True, markup=False),
        )
        name = settings.name
        self._whole = self._progress.add_task(name, total=self._generations, note="baselines")
        self._part = self._progress.add_task("rung 1", total=1, note="")

    def __enter__(self) -> LiveProgress:
        self._progress.start()
        if sys.stdin.isatty():
            self.announce("q stops after the running batch")
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def on_progress(self, rung: int, done: int, total: int) -> None:
        self._rate.count()
        self._progress.update(
            self._part,
            description=f"rung {rung + 1}",
            completed=done,
            total=total,
            note=str(self._rate),
        )

    def on_generation(self, summary: GenerationSummary) -> None:
        from grammars import shortened

        best = "" if summary.best_score is None else f"best {summary.best_score:.4f}"
        note = f"{best}  {shortened(summary.best_expression or '')}"
        self._progress.update(self._whole, advance=1, note=note[:80])

    def on_best(self, standing: Standing) -> None:
        score = standing.evaluation.score
        self._progress.console.print(f"new best {score:.4f}  {standing.candidate.readable}")

    def on_finals(self, task: str, done: int, total: int) -> None:
        self._progress.update(
            self._part, description=f"finals: {task}", completed=done, total=total, note=""
        )

    def announce(self, text: str) -> None:
        self._progress.console.print(text)


def _describe(summary: GenerationSummary, *, of: int) -> str:
    from grammars import shortened

    best = "nothing scored yet"
    if summary.best_score is not None:
        best = f"best {summary.best_score:.4f}  {shortened(summary.best_expression or '')}"
    diversity = "" if summary.diversity is None else f", diversity {summary.diversity:.2f}"
    return (
        f"generation {summary.generation + 1}/{of}: {summary.considered} considered, "
        f"{summary.distinct} distinct, {summary.rejected} rejected, {summary.trained} trained, "
        f"{summary.promoted} promoted{diversity}{_describe_model(summary.forecasting)}; "
        f"{best}"
    )


def _describe_model(forecasting: Forecasting | None) -> str:
    if forecasting is None:
        return ""
    worth = forecasting.correlation
    told = "" if worth is None else f", expected and real scores correlate by {worth:.2f}"
    if not forecasting.is_followed:
        told += ", worse than chance: the next generation is bred from real scores alone"
    return f", best of {forecasting.considered} bred on a model{told}"
