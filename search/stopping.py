"""When a campaign's time is up."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Self

from search.journal import SEARCH_KINDS, Journal, Kind

# A longer gap between two events of a journal is a pause between launches, not work.
LONGEST_WORK_SECONDS: Final = 600.0


class Deadline:
    """Sets an event when the time is up, unless left before."""

    def __init__(self, seconds: float | None, event: threading.Event) -> None:
        """None as `seconds` means never."""
        self.passed = False
        self._event = event
        self._timer = None if seconds is None else threading.Timer(max(0.0, seconds), self._pass)

    def _pass(self) -> None:
        self.passed = True
        self._event.set()

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


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
