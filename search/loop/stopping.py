"""When a search stops: the user's wish and the clock, told apart."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Self

from evaluators.training.clock import awake_seconds

_LOOK_SECONDS: Final = 0.5


class EitherEvent:
    """Is set as soon as one of several events is; who set it can still be told."""

    def __init__(self, *events: threading.Event) -> None:
        self._events = events

    def is_set(self) -> bool:
        """Whether nothing further is to be begun."""
        return any(event.is_set() for event in self._events)


class Deadline:
    """Ends the work when the time is up: gently, and after a grace at once.

    The time in which the process was stopped, by Ctrl-Z for one, does not count.
    """

    def __init__(
        self,
        seconds: float | None,
        event: threading.Event,
        *,
        grace_seconds: float = 0.0,
        abandon: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = awake_seconds,
    ) -> None:
        """Sets the deadline; entering it starts the clock, leaving it stops the clock.

        Args:
            seconds: Until the time is up, None for never.
            event: Is set then, so that nothing further is begun.
            grace_seconds: What was begun may take so much longer.
            abandon: Is called, from another thread, where that was not enough.
            clock: Seconds.
        """
        self._seconds, self._event, self._clock = seconds, event, clock
        self._grace_seconds, self._abandon = grace_seconds, abandon
        self._left = threading.Event()

    def __enter__(self) -> Self:
        if self._seconds is not None:
            end = self._clock() + max(0.0, self._seconds)
            # A daemon: a program that ends by itself does not wait for its time to be up.
            threading.Thread(target=self._watch, args=[end], name="deadline", daemon=True).start()
            if self._clock() >= end:  # whether the thread has come to it or not
                self._event.set()
        return self

    def __exit__(self, *error: object) -> None:
        self._left.set()

    def _watch(self, end: float) -> None:
        for moment, act in ((end, self._event.set), (end + self._grace_seconds, self._abandon)):
            while (seconds := moment - self._clock()) > 0.0:
                if self._left.wait(min(seconds, _LOOK_SECONDS)):
                    return
            if self._left.is_set():
                return
            act()
