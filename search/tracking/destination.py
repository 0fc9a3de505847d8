"""Where a campaign is shown: the address of a store, and the names that it has there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

EMBEDDED: Final = "embedded"


@dataclass(frozen=True)
class Destination:
    """Where a campaign is shown.

    Attributes:
        runs_dir: Of the campaign.
        uri: Of the store; None for the SQLite file in the runs directory.
    """

    runs_dir: Path
    uri: str | None = None

    @property
    def scheme(self) -> str:
        """What the address begins with, which says whose it is."""
        return EMBEDDED if self.uri is None else self.uri.partition(":")[0].lower()
