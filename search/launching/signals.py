"""Signals that finish the running batch instead of losing it."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# Whoever sends SIGTERM or SIGHUP, a scheduler or a system that shuts down, sends SIGKILL 30 s
# later. The running batch has the first part of that time, MLflow has until the second.
BATCH_SECONDS: Final = 12.0
MIRROR_SECONDS: Final = 22.0


class HurriedError(KeyboardInterrupt):
    """After SIGTERM or SIGHUP the running batch took too long, and is given up."""


class Notice:
    """How long whoever asked this process to stop will wait for its end."""

    def __init__(self) -> None:
        self._ends_at = math.inf

    @property
    def is_given(self) -> bool:
        """Whether there is an end to it: SIGTERM or SIGHUP has come, and SIGKILL may follow."""
        return math.isfinite(self._ends_at)

    def give(self) -> None:
        """Begins to count."""
        self._ends_at = time.monotonic() + MIRROR_SECONDS
        signal.setitimer(signal.ITIMER_REAL, BATCH_SECONDS)

    def left(self, seconds: float) -> float:
        """Of so many seconds those that are left; no batch runs any more that would be given up."""
        if not self.is_given:
            return seconds
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return max(0.0, min(seconds, self._ends_at - time.monotonic()))


@contextmanager
def stopped_by_signals(
    stopping: threading.Event, *, announce: Callable[[str], None]
) -> Iterator[Notice]:
    """Makes the first Ctrl-C, SIGTERM or SIGHUP set `stopping`, the second end the program at once.

    After SIGTERM or SIGHUP the running batch has `BATCH_SECONDS`; then the program ends at once as
    well, by a `HurriedError`. A SIGHUP that is ignored, under nohup for one, stays ignored; a
    terminal that is closed sends several, which are one.

    Yields:
        How long there is for what comes after the running batch.
    """
    notice = Notice()

    def handle(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        ask(number)

    def hang_up(number: int, frame: FrameType | None) -> None:
        if not notice.is_given:
            ask(number)

    def ask(number: int) -> None:
        stopping.set()
        if number != signal.SIGINT:
            notice.give()
        announce("stopping after the running batch; once more stops now, without that batch")

    def give_up(number: int, frame: FrameType | None) -> None:
        raise HurriedError

    # Signals reach the main thread only; elsewhere the caller stops the campaign by its event.
    if threading.current_thread() is not threading.main_thread():
        yield notice
        return
    handlers = {signal.SIGINT: handle, signal.SIGTERM: handle, signal.SIGALRM: give_up}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = hang_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield notice
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        for number, handler in before.items():
            signal.signal(number, handler)
