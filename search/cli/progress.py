"""What a campaign says while it runs: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from search.cli.options import say
from search.cli.rate import Rate

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
def progress_for(settings: Settings, folder: Path) -> Iterator[Display]:
    """What fits standard error: a live view if it is a terminal."""
    if sys.stderr.isatty():
        from search.cli.live import LiveProgress

        with LiveProgress(settings, folder) as display:
            yield display
    else:
        yield PlainProgress(settings, done=_generations_in(folder))


def _generations_in(folder: Path) -> int:
    """How many generations a campaign has on record, which a launch goes through first."""
    from search.journal.journal import FILE_NAME, Journal, JournalError

    path = folder / FILE_NAME
    with suppress(FileNotFoundError, JournalError), Journal(path, read_only=True) as journal:
        return sum(1 for _ in journal.events("generation"))
    return 0


class PlainProgress:
    """One line a generation."""

    def __init__(self, settings: Settings, *, done: int) -> None:
        """Nothing has been evaluated yet, in this launch.

        Args:
            settings: Of the campaign.
            done: Generations that are on record.
        """
        self._generations = settings.stop.generations
        self._rate, self._done, self._seen = Rate(), done, 0

    def on_progress(self, rung: int, done: int, total: int) -> None:
        if self._seen >= self._done:
            self._rate.count()

    def on_generation(self, summary: GenerationSummary) -> None:
        self._seen = summary.generation + 1
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
        f"{best}{'' if summary.watched is None else f'; it {summary.watched}'}"
    )


def _describe_model(forecasting: Forecasting | None) -> str:
    if forecasting is None:
        return ""
    worth = forecasting.correlation
    told = "" if worth is None else f", expected and real scores correlate by {worth:.2f}"
    if not forecasting.is_followed:
        told += ", worse than chance: the next generation is bred from real scores alone"
    return f", best of {forecasting.considered} bred on a model{told}"
