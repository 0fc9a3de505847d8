"""How long a campaign has worked: every launch records its begin and its end in the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from evaluators.training.clock import awake_seconds
from search.history import Worked, WorkState, read_history, write
from search.journal.journal import Journal, JournalError

# A launch that is killed records no end; so much of its work is not counted at most, and the batch
# that was lost.
BEAT_SECONDS: Final = 20.0


class Work:
    """Records how long one launch works on a part of a campaign: an observer, and a context.

    Its events hold the seconds since the launch began, on a clock that stands still while the
    process is stopped. They tell of the machine, as the times of all events do, and decide nothing
    but how much of a budget in minutes is left.
    """

    def __init__(
        self, journal: Journal, of: str, *, clock: Callable[[], float] = awake_seconds
    ) -> None:
        """Records nothing yet; entering does.

        Args:
            journal: Of the campaign, open for writing.
            of: The part that is worked on: `SEARCH`, or finals by their number.
            clock: Seconds.
        """
        self._journal, self._of, self._clock = journal, of, clock
        self._launch = self._parts = 0
        self._begun = self._told = 0.0

    def on_progress(self, rung: int, done: int, total: int) -> None:
        """Records how long it has been, now and then."""
        self._beat()

    def on_generation(self, summary: Any) -> None:
        """Records how long it has been, now and then."""
        self._beat()

    def on_best(self, standing: Any) -> None:
        """Not of interest."""

    def on_finals(self, task: str, done: int, total: int) -> None:
        """Records how long it has been, now and then."""
        self._beat()

    def __enter__(self) -> Self:
        self._launch = 1 + read_history(self._journal).work.launches(self._of)
        self._begun = self._told = self._clock()
        self._write("begun")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What ends a launch is said, rather than that its end could not be recorded for the same
        # reason, such as a full disk.
        with suppress(*([JournalError] if error is not None else [])):
            self._write("ended")

    def _beat(self) -> None:
        if self._clock() - self._told >= BEAT_SECONDS:
            self._write("going on")

    def _write(self, state: WorkState) -> None:
        self._told = self._clock()
        seconds = round(self._told - self._begun, 3)
        write(self._journal, [Worked(self._of, self._launch, self._parts, state, seconds)])
        self._parts += 1
