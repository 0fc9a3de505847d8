"""When a campaign's time is up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, Self

from search.journal import SEARCH_KINDS, Journal, Kind

# A longer gap between two events of a journal is a pause between launches, not work.
LONGEST_WORK_SECONDS: Final = 600.0


class Deadline:
    """Ends the work when the time is up: gently, and after a grace at once."""

    def __init__(
        self,
        seconds: float | None,
        event: threading.Event,
        *,
        grace_seconds: float = 0.0,
        abandon: Callable[[], None] = lambda: None,
    ) -> None:
        """Sets the deadline; entering it starts the clock, leaving it stops the clock.

        Args:
            seconds: Until the time is up, None for never.
            event: Is set then, so that nothing further is begun.
            grace_seconds: What was begun may take so much longer.
            abandon: Is called, from another thread, where that was not enough.
        """
        self.passed = False
        self._event, self._abandon = event, abandon
        self._timers: list[threading.Timer] = []
        if seconds is not None:
            first = max(0.0, seconds)
            self._timers.append(threading.Timer(first, self._pass))
            self._timers.append(threading.Timer(first + grace_seconds, self._abandon))

    def _pass(self) -> None:
        self.passed = True
        self._event.set()

    def __enter__(self) -> Self:
        for timer in self._timers:
            timer.daemon = True
            timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        for timer in self._timers:
            timer.cancel()


def seconds_worked(
    journal: Journal, *, kinds: Sequence[Kind] = SEARCH_KINDS, after: int = 0
) -> float:
    """Wall time that earlier launches of a campaign spent at work, by default that of its search.

    Args:
        journal: Of the campaign.
        kinds: The events that mark the work.
        after: Position in the journal beyond which work counts.
    """
    times = [event.time for event in journal.events(*kinds, after=after)]
    gaps = (later - earlier for earlier, later in pairwise(times))
    return sum(gap for gap in gaps if 0.0 < gap <= LONGEST_WORK_SECONDS)
