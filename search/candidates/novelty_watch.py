"""Says of each hall of fame entry whether it is new to the world, without holding up the search."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from search.candidates.generation import GenerationSummary
from search.candidates.hall_of_fame import HallOfFame
from search.candidates.racing import Standing

# How much the workers go first.
_NICENESS: Final = 10

# How many are looked up while the search goes on; most entries soon make room for better ones.
_WATCHED: Final = 5


class NoveltyWatch:
    """An observer of a campaign that looks its best up in the catalogue, in a thread of its own.

    Comparing a function with all published ones takes a fraction of a second, more than many a
    training. So the hall of fame is written at once, and again when more is known about it: of the
    first few while the search goes on, of all once it is over.
    """

    def __init__(self, hall_of_fame: HallOfFame, folder: Path) -> None:
        """Watches a hall of fame that is kept in this folder."""
        self._hall_of_fame, self._folder = hall_of_fame, folder
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="novelty", daemon=True)

    def on_progress(self, rung: int, done: int, total: int) -> None:
        """Not of interest."""

    def on_generation(self, summary: GenerationSummary) -> None:
        """There may be new entries."""
        self._changed.set()

    def on_best(self, standing: Standing) -> None:
        """Its generation was told of already."""

    def on_finals(self, task: str, done: int, total: int) -> None:
        """Finals come after the watch."""

    def close(self, *, complete: bool) -> None:
        """Ends the watch; nothing is written afterwards.

        Args:
            complete: Whether to look up first what is not known yet. The caller does it: the
                watch's own thread may starve for minutes where others keep the processors busy.
        """
        self._stopping.set()
        self._changed.set()
        if complete:
            self._look_up(threading.Event(), of=None)

    def _watch(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while not self._stopping.is_set():
            self._changed.wait()
            self._changed.clear()
            self._look_up(self._stopping, of=_WATCHED)

    def _look_up(self, stopping: threading.Event, *, of: int | None) -> None:
        found = self._hall_of_fame.look_up_novelty(stopping=stopping, of=of)
        if found and not stopping.is_set():
            # Without room on the disk the campaign ends by itself, and says so.
            with suppress(OSError):
                self._hall_of_fame.write(self._folder)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(complete=False)
