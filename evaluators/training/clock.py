"""Clocks that never jump, and by which a pause costs nobody their time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

TICK_SECONDS: Final = 0.5

# Whoever wakes later than this was not running: stopped by Ctrl-Z or SIGSTOP, or in a container
# that was paused. A busy machine delays a thread by far less.
LONGEST_TICK_SECONDS: Final = 5.0


class AwakeClock:
    """Counts the seconds in which this process could run.

    A thread looks at the system's monotonic clock twice a second; of a longer gap between two looks
    `LONGEST_TICK_SECONDS` count, so that a pause of any length costs no more than that. The time of
    day plays no part: setting it changes nothing.
    """

    def __init__(self) -> None:
        """The clock begins with 0 and its first reading."""
        self._lock = threading.Lock()
        self._seconds, self._looked = 0.0, 0.0
        self._thread: threading.Thread | None = None

    def __call__(self) -> float:
        """Seconds so far."""
        with self._lock:
            if self._thread is None:
                self._looked = time.monotonic()
                self._thread = threading.Thread(target=self._tick, name="clock", daemon=True)
                self._thread.start()
            return self._look()

    def _tick(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            with self._lock:
                self._look()

    def _look(self) -> float:
        now = time.monotonic()
        self._seconds += min(now - self._looked, LONGEST_TICK_SECONDS)
        self._looked = now
        return self._seconds


awake_seconds: Final = AwakeClock()
"""The clock of this process, as `time.monotonic` is the system's."""


def works_on_processor() -> bool:
    """Whether JAX computes in this very process, rather than on an accelerator."""
    import jax

    return jax.default_backend() == "cpu"


def working_clock() -> Callable[[], float]:
    """The clock by which the work of a single-threaded process is judged, in seconds.

    Returns:
        Its processor time, which stands still while the process is stopped or others have its
        processor. Beside an accelerator, for which a processor only waits, `awake_seconds`.
    """
    return time.process_time if works_on_processor() else awake_seconds
