"""Panels that a notebook shows, and that may be saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search.drawing.panels import Panel, image, write


@dataclass(frozen=True, repr=False)
class Picture:
    """Panels side by side.

    Attributes:
        panels: From left to right.
        path: Where they were saved; None if nowhere yet.
    """

    panels: Sequence[Panel]
    path: Path | None = None

    def save(self, output: str | Path) -> Picture:
        """Writes a file; see `write`.

        Raises:
            PictureError: If its suffix is no format.
        """
        path = Path(output)
        write(self.panels, path)
        return Picture(self.panels, path)

    def _repr_png_(self) -> bytes:
        """For notebooks."""
        return image(self.panels, "png")

    def __repr__(self) -> str:
        what = " ".join(panel.description for panel in self.panels)
        return what if self.path is None else f"{what} Saved as {self.path}"
