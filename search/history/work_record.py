"""How long a campaign has worked, part by part: the fold of what its launches recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from search.history.events import (
    Begun,
    Evaluated,
    FinalistScored,
    FinalistTrained,
    FinalsEnded,
    FinalsLooked,
    FinalsPlanned,
    GenerationEnded,
    Introduced,
    SearchEnded,
    TestDataOpened,
    Told,
    Trained,
    Worked,
    YardsticksSet,
)

# In a journal whose launches recorded no work, a longer gap between two events was a pause.
LONGEST_WORK_SECONDS: Final = 600.0

SEARCH: Final = "search"
"""The part of a campaign that is its search."""

_OF_SEARCH: Final = (
    Begun,
    Introduced,
    YardsticksSet,
    Trained,
    Evaluated,
    GenerationEnded,
    SearchEnded,
)
_OF_FINALS: Final = (FinalistTrained, FinalsLooked, TestDataOpened, FinalistScored, FinalsEnded)


def part_of_finals(number: int) -> str:
    """The part of a campaign that is the finals of that number."""
    return f"finals {number}"


@dataclass
class WorkRecord:
    """Seconds at work on each part, pauses between launches left out; `add` takes all events.

    Before the first launch that recorded its work, gaps between events are work, up to
    `LONGEST_WORK_SECONDS` each.
    """

    _finals: int = 0
    _times: dict[str, float] = field(default_factory=dict)
    _unrecorded: dict[str, float] = field(default_factory=dict)
    _launches: dict[str, dict[int, float]] = field(default_factory=dict)
    _told: dict[str, float] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        """Takes the next event."""
        event = told.event
        if isinstance(event, _OF_SEARCH):
            self._add_time(SEARCH, told.time)
        elif isinstance(event, Worked):
            # The last event of a launch holds its seconds, whether it ended or was killed.
            self._launches.setdefault(event.of, {})[event.launch] = event.seconds
            self._told[event.of] = told.time
        elif isinstance(event, FinalsPlanned):
            self._finals = event.plan.number
            self._add_time(part_of_finals(self._finals), told.time)
        elif isinstance(event, _OF_FINALS):
            self._add_time(part_of_finals(self._finals), told.time)

    def seconds(self, of: str = SEARCH) -> float:
        """Seconds that launches spent at work on a part."""
        return self._unrecorded.get(of, 0.0) + sum(self._launches.get(of, {}).values())

    def seconds_at(self, time: float, of: str = SEARCH) -> float:
        """The same at an event of that time, the one before which nothing is unknown."""
        since = time - self._told[of] if of in self._told else 0.0
        return self.seconds(of) + min(max(since, 0.0), LONGEST_WORK_SECONDS)

    def launches(self, of: str = SEARCH) -> int:
        """Launches that recorded their work on a part."""
        return max(self._launches.get(of, {}), default=0)

    def _add_time(self, of: str, time: float) -> None:
        if of in self._launches:
            return
        gap = time - self._times.get(of, time)
        if 0.0 < gap <= LONGEST_WORK_SECONDS:
            self._unrecorded[of] = self._unrecorded.get(of, 0.0) + gap
        self._times[of] = time
