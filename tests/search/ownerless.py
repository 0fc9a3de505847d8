"""What simulated executors have in common."""

from __future__ import annotations

from typing import Self


class Ownerless:
    """An executor without processes: there is nothing to give up, and nothing to close."""

    def abandon(self) -> None:
        """See `Executor.abandon`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass
