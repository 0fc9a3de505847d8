"""How figures look: panels with one decoration, alone or side by side, as files."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from search.drawing.styles import FAINT, INK, MUTED, RULE
from search.texts.shortening import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES: Final = 4.4
HEIGHT_INCHES: Final = 3.1
DPI: Final = 200
# Matplotlib lists further ones, of which .pgf needs a TeX that may not be installed, and .raw says
# nowhere how large it is.
FORMATS: Final = ("png", "svg", "pdf", "eps", "jpg", "jpeg", "tif", "tiff", "webp")
"""By which suffixes files are written."""

_LEGEND_ROW_INCHES: Final = 0.19
# Characters of a label that fit below one panel, beside another label and alone.
_LABEL_BESIDE_ANOTHER: Final = 32
_LABEL_ALONE: Final = 66


class PictureError(ValueError):
    """A picture that cannot be drawn, or not in the format that was asked for."""


@dataclass(frozen=True)
class Panel:
    """One figure: a pair of axes with what is said about it.

    Attributes:
        name: Of its files, without suffix.
        title: One line above it.
        description: For readers who don't see it.
        draw: Draws on the axes.
        width_inches: Of the figure.
        height_inches: Of the figure.
        has_legend: Whether the files need a legend of their own; the page has one for all panels.
        has_rows: Whether a mark is pointed at anywhere on its height.
        marks: Points in the units of the axes, each with what the page says when it is pointed at;
            without any it says the values of the lines that have labels.
    """

    name: str
    title: str
    description: str
    draw: Callable[[Axes], None]
    width_inches: float = WIDTH_INCHES
    height_inches: float = HEIGHT_INCHES
    has_legend: bool = True
    has_rows: bool = False
    marks: tuple[tuple[float, float, str], ...] = ()


def save(panel: Panel, folder: Path) -> list[Path]:
    """Writes `<name>.png` and `<name>.svg` into the folder, on white, with a legend."""
    paths = [folder / f"{panel.name}.png", folder / f"{panel.name}.svg"]
    for path in paths:
        write([panel], path)
    return paths


def write(panels: Sequence[Panel], output: Path) -> None:
    """Writes panels side by side into one file, on white, with one legend for all of them.

    Args:
        panels: From left to right; the highest of them decides the height.
        output: File to write; its suffix decides the format, see `FORMATS`. Its folder is made.

    Raises:
        PictureError: If the suffix is none of them.
        OSError: If the file cannot be written.
    """
    suffix = output.suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise PictureError(
            f"cannot write a picture as {output.name!r}; end its name in one of "
            f"{', '.join(f'.{name}' for name in FORMATS)}"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(image(panels, suffix))


def image(panels: Sequence[Panel], kind: str) -> bytes:
    """What `write` writes, `kind` one of `FORMATS`."""
    # Neither a date nor random names in the file: the same campaign draws the same bytes.
    metadata = {"Date": None} if kind == "svg" else None
    file = io.BytesIO()
    with settings({"svg.hashsalt": panels[0].name}):
        drawn(panels, legend=True).savefig(file, format=kind, dpi=DPI, metadata=metadata)
    return file.getvalue()


def drawn(panels: Sequence[Panel], *, legend: bool) -> Figure:
    """The panels as one figure, with a legend below them or without."""
    # Not pyplot: its figures are global state, and these are drawn on any thread.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    widths = [panel.width_inches for panel in panels]
    height = max(panel.height_inches for panel in panels)
    figure = Figure(figsize=(sum(widths), height), layout="constrained")
    FigureCanvasAgg(figure)
    row = figure.subplots(1, len(panels), squeeze=False, width_ratios=widths)[0]
    for axes, panel in zip(row, panels, strict=True):
        panel.draw(axes)
        _decorate(axes, panel.title)
    if legend:
        shown = [axes for axes, panel in zip(row, panels, strict=True) if panel.has_legend]
        _add_legend(figure, shown, height_inches=height)
    return figure


def settings(parameters: dict[str, Any]) -> Any:
    """Matplotlib's settings while a figure is written."""
    from matplotlib import rc_context

    return rc_context(parameters)


def _add_legend(figure: Figure, shown: Sequence[Axes], *, height_inches: float) -> None:
    """One entry for each label, in room of its own below what the page shows."""
    handles: dict[str, Any] = {}
    for axes in shown:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if not handles:
        return
    width = figure.get_figwidth() / WIDTH_INCHES
    columns = 2 if max(map(len, handles)) <= width * _LABEL_BESIDE_ANOTHER else 1
    rows = math.ceil(len(handles) / columns)
    figure.set_figheight(height_inches + _LEGEND_ROW_INCHES * rows)
    made = figure.legend(
        handles.values(),
        [shorten(label, int(width * _LABEL_ALONE)) for label in handles],
        loc="outside lower left",
        ncols=columns,
        fontsize=8,
        frameon=False,
        labelcolor=INK,
    )
    for text in made.get_texts():
        text.set_parse_math(False)  # an expression is no TeX


def _decorate(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, color=INK, parse_math=False)
    axes.grid(color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=MUTED, labelsize=8.5, length=0)
    axes.xaxis.label.set(color=MUTED, fontsize=8.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)
