"""An iterator that is run ahead of whoever asks for its items."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

_END: Final = StopIteration()


class Prefetched(Generic[Item]):
    """Runs an iterator in a thread of its own; yields its items in order, and then its error."""

    def __init__(self, source: Iterator[Item]) -> None:
        self._source = source
        self._arrived: SimpleQueue[tuple[Item] | Exception] = SimpleQueue()
        # A daemon: a program that is told to end at once waits for no training.
        threading.Thread(target=self._run, name="prefetch", daemon=True).start()

    def _run(self) -> None:
        try:
            for item in self._source:
                self._arrived.put((item,))
        except Exception as error:  # raised where the items are wanted
            self._arrived.put(error)
        else:
            self._arrived.put(_END)

    def __iter__(self) -> Iterator[Item]:
        while not isinstance(arrived := self._arrived.get(), Exception):
            yield arrived[0]
        if arrived is not _END:
            raise arrived
