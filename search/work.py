"""How long a campaign has worked: every launch records its begin and its end in the journal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from types import TracebackType
from typing import Any, Final, Self

from evaluators.clock import awake_seconds
from search.journal import SEARCH_KINDS, Event, Journal, JournalError, Kind

# In a journal whose launches recorded no work, a longer gap between two events was a pause.
LONGEST_WORK_SECONDS: Final = 600.0

# A launch that is killed records no end; so much of its work is not counted at most, and the batch
# that was lost.
BEAT_SECONDS: Final = 20.0

SEARCH: Final = "search"


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
        earlier = (event.payload["launch"] for event in _recorded(self._journal, self._of))
        self._launch = 1 + max(earlier, default=0)
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

    def _write(self, state: str) -> None:
        self._told = self._clock()
        place = {"of": self._of, "launch": self._launch, "state": state}
        seconds = round(self._told - self._begun, 3)
        key = f"{self._of}/{self._launch:04d}/{self._parts:06d}"
        self._journal.append("work", key, {**place, "seconds": seconds})
        self._parts += 1


def seconds_worked(
    journal: Journal,
    *,
    of: str = SEARCH,
    kinds: Sequence[Kind] = SEARCH_KINDS,
    after: int = 0,
) -> float:
    """Seconds that earlier launches of a campaign spent at work, pauses between them left out.

    Args:
        journal: Of the campaign.
        of: The part of the campaign.
        kinds: The events that mark work where no launch has recorded any: gaps between them are
            work, up to `LONGEST_WORK_SECONDS`.
        after: Position in the journal beyond which such events count.
    """
    recorded = _recorded(journal, of)
    first = recorded[0].sequence if recorded else math.inf
    times = [e.time for e in journal.events(*kinds, after=after) if e.sequence < first]
    gaps = (later - earlier for earlier, later in pairwise(times))
    unrecorded = sum(gap for gap in gaps if 0.0 < gap <= LONGEST_WORK_SECONDS)
    # The last event of a launch holds its seconds, whether it came to its end or was killed.
    launches = {each.payload["launch"]: float(each.payload["seconds"]) for each in recorded}
    return unrecorded + sum(launches.values())


def _recorded(journal: Journal, of: str) -> list[Event]:
    return [event for event in journal.events("work") if event.payload["of"] == of]
