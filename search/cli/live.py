"""What a terminal shows while a campaign runs: bars, the best so far, what became of the rest."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from grammars import title_of
from search.cli.rate import Rate
from search.history import History
from search.journal.journal import FILE_NAME, Journal, JournalError

if TYPE_CHECKING:
    from search.candidates.generation import GenerationSummary
    from search.candidates.racing import Standing
    from search.settings import Settings

BEST: Final = 5
_BESIDE: Final = ("relu", "gelu")
_REASONS: Final = 3
# Reading what is new takes milliseconds; still, not after each of a thousand evaluations.
_SECONDS_BETWEEN: Final = 1.0


class LiveProgress:
    """A bar over the generations and one over the running rung, with the best so far below.

    Everything but the running rung is read from the campaign's journal, so that a campaign that is
    resumed shows at once what it has come to, and the time left follows from all of its launches.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Shows nothing yet; entering does.

        Args:
            settings: Of the campaign.
            folder: Where its journal is, or will be.
        """
        self._settings, self._path = settings, folder / FILE_NAME
        self._history, self._read_at = History(), float("-inf")
        self._rate = Rate()
        self._seen = 0
        self._console = Console(stderr=True, markup=False, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[note]}", markup=False, table_column=None),
            console=self._console,
        )
        self._whole = self._bars.add_task(
            settings.name, total=settings.stop.generations, note="baselines"
        )
        self._part = self._bars.add_task("rung 1", total=1, note="")
        self._stage = ""
        self._live = self._new_live()
        self._handler: Any = None

    def __enter__(self) -> LiveProgress:
        self._follow()
        self._live.start()
        if hasattr(signal, "SIGWINCH") and threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGWINCH, self._resized)
        if sys.stdin.isatty():
            self.announce("q stops after the running batch")
        return self

    def __exit__(self, *error: object) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGWINCH, self._handler)
        self._follow()
        self._live.stop()

    def on_progress(self, rung: int, done: int, total: int) -> None:
        """Moves the bar of the rung; what is only read again is no work."""
        if self._seen >= len(self._history.generations):
            self._rate.count()
        fidelity = self._settings.scoring.fidelities[rung]
        note = f"{fidelity}, {self._rate}"
        self._bars.update(
            self._part, description=f"rung {rung + 1}", completed=done, total=total, note=note
        )
        if time.monotonic() - self._read_at > _SECONDS_BETWEEN:
            self._follow()

    def on_generation(self, summary: GenerationSummary) -> None:
        """Moves the bar of the generations."""
        self._seen = summary.generation + 1
        if summary.watched is not None:
            self.announce(f"generation {self._seen}: the leader {summary.watched}")
        self._follow()
        if self._seen == self._settings.stop.generations:
            self._finish("the search is done: drawing and recording what it came to")

    def on_best(self, standing: Standing) -> None:
        """The table below says so."""

    def on_finals(self, task: str, done: int, total: int) -> None:
        """Finals have the second bar, and a line of their own."""
        self._bars.update(
            self._part, description="finals", completed=done, total=total, note=f"on {task}"
        )
        self._finish(f"finals: {done} of at most {total} training runs on {task}")

    def announce(self, text: str) -> None:
        """A sentence above the bars."""
        self._console.print(text)

    def _finish(self, text: str) -> None:
        """What follows the search has a line of its own."""
        self._stage = text

    def _follow(self) -> None:
        self._read_at = time.monotonic()
        if self._path.is_file():
            try:
                with Journal(self._path, read_only=True) as journal:
                    self._history.follow(journal)
            except JournalError:
                return  # the campaign itself says what is the matter with it
        done = max(self._seen, len(self._history.generations))
        self._bars.update(self._whole, completed=done, note=self._time_left(done))

    def _time_left(self, done: int) -> str:
        """From the time at work of all launches, pauses left out."""
        if not self._history.generations:
            return "baselines and the first generation"
        first, *_, last = [self._history.generations[0], *self._history.generations]
        worked, count = last.seconds, len(self._history.generations)
        # The first generation came after the baselines, which are trained once.
        pace = (worked - first.seconds) / (count - 1) if count > 1 else worked
        seconds = pace * (self._settings.stop.generations - done)
        if self._settings.stop.minutes is not None:
            seconds = min(seconds, max(60 * self._settings.stop.minutes - worked, 0.0))
        return f"about {_clock(seconds)} left, {_clock(worked)} at work"

    def _new_live(self) -> Live:
        return Live(
            get_renderable=self._shown,
            console=self._console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _resized(self, number: int, frame: FrameType | None) -> None:
        """Draws anew: a terminal that became narrower has broken the lines that were there."""
        self._live.stop()
        self._console.clear()
        self._live = self._new_live()
        self._live.start()

    def _shown(self) -> Group:
        lines = list(self._counts())
        if self._stage:
            lines.append(self._stage)
        texts = [Text(line, no_wrap=True, overflow="ellipsis", style="dim") for line in lines]
        best = self._best()
        return Group(self._bars, *([] if best is None else [best]), *texts)

    def _best(self) -> Table | None:
        from search.standings.leaderboard import leaderboard

        rows = leaderboard(self._history)
        if not rows:
            return None
        beside = [row for row in rows[BEST:] if row.name in _BESIDE]
        table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
        table.add_column(justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        for row in [*rows[:BEST], *beside]:
            title = row.expression if row.name is None else title_of(row.name)
            style = "cyan" if row.origin == "baseline" else None
            trained = f"{row.steps} x {row.seeds}"
            table.add_row(str(row.rank), title, trained, f"{row.score:.4f}", style=style)
        return table

    def _counts(self) -> Iterator[str]:
        outcomes: dict[str, Counter[str]] = {}
        for each in self._history.evaluations:
            reason = (each.evaluation.reason or "").partition(":")[0].partition(";")[0]
            outcomes.setdefault(each.evaluation.outcome.value, Counter())[reason] += 1
        for outcome, reasons in outcomes.items():
            if outcome == "scored":
                yield f"scored {reasons.total():,} trainings"
                continue
            named = [f"{count} {reason}" for reason, count in reasons.most_common(_REASONS)]
            yield f"{outcome} {reasons.total():,}: {', '.join(named)}"


def _clock(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
