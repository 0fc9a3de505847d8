"""Ctrl-C that finishes the running batch instead of losing it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stopped_by_signals(
    stopping: threading.Event, *, announce: Callable[[str], None]
) -> Iterator[None]:
    """Makes the first Ctrl-C or SIGTERM set `stopping` and the second end the program at once."""

    def handle(number: int, frame: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()
        announce("stopping after the running batch; once more stops now, without that batch")

    # Signals reach the main thread only; elsewhere the caller stops the campaign by its event.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
