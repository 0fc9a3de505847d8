"""How fast a campaign trains."""

from __future__ import annotations

import time


class Rate:
    """Evaluations a second since the first one that was counted."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._count = 0

    def count(self) -> None:
        """One more."""
        self._begun = time.monotonic() if self._begun is None else self._begun
        self._count += 1

    def __str__(self) -> str:
        if self._begun is None or self._count < 2:
            return "reading what was done"
        seconds = max(time.monotonic() - self._begun, 1e-9)
        return f"{(self._count - 1) / seconds:.1f} evaluations/s"
