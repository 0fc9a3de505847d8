"""How the figures of a report look: one size, one palette, as PNG, as SVG and inside the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK: Final = "#1f2328"
MUTED: Final = "#6a737c"
FAINT: Final = "#a3abb3"
RULE: Final = "#dde2e7"
PAPER: Final = "#fffffe"
# Okabe and Ito (2008): told apart under every common form of colour blindness, and in print.
WINNERS: Final = ("#0072b2", "#d55e00", "#009e73")
_DASHES: Final[Mapping[str, str]] = {
    "": "",
    "solid": "none",
    "dashed": "6 3",
    "dotted": "2 2.5",
    "dashdot": "7 2.5 2 2.5",
}
RIVAL_DASHES: Final = ("solid", "dashed", "dotted", "dashdot")

# Inside the page the reader's light or dark decides: its style sheet defines these properties.
_PROPERTIES: Final[Mapping[str, str]] = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    FAINT: "var(--faint)",
    RULE: "var(--rule)",
    PAPER: "var(--paper)",
    WINNERS[0]: "var(--winner-1)",
    WINNERS[1]: "var(--winner-2)",
    WINNERS[2]: "var(--winner-3)",
}

_SUPERFLUOUS: Final = (
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"<metadata>.*?</metadata>", re.DOTALL),
    re.compile(r"<style.*?</style>", re.DOTALL),  # it would hold for the whole page
    re.compile(r'(?<=<g) id="[^"]*"'),
    re.compile(r"font-family: [^;\"]*; "),
    re.compile(r' (?:width|height)="[\d.]+pt"'),
)

WIDTH_INCHES: Final = 4.4
HEIGHT_INCHES: Final = 3.1
_PNG_DPI: Final = 200
_LEGEND_COLUMNS: Final = 2
_LEGEND_ROW_INCHES: Final = 0.19


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
    """

    name: str
    title: str
    description: str
    draw: Callable[[Axes], None]
    width_inches: float = WIDTH_INCHES
    height_inches: float = HEIGHT_INCHES
    has_legend: bool = True


@dataclass(frozen=True)
class Style:
    """How one function is drawn, in every figure alike; one without dashes as dots."""

    colour: str
    dash: str = "solid"
    width: float = 1.8

    @property
    def line(self) -> dict[str, Any]:
        """As matplotlib takes it."""
        return {"color": self.colour, "linestyle": self.dash, "linewidth": self.width}

    @property
    def swatch(self) -> Mapping[str, str]:
        """Colour and dashes of a sample in the page's legend; without dashes it is a dot."""
        return {"colour": _PROPERTIES[self.colour], "dashes": _DASHES[self.dash]}


def winner_style(place: int) -> Style:
    """Of the function in this place, counted from 0; those beyond the colours take dashes."""
    turn, colour = divmod(place, len(WINNERS))
    return Style(WINNERS[colour], RIVAL_DASHES[turn % len(RIVAL_DASHES)], 2.0)


def rival_style(place: int) -> Style:
    """Of a published function: grey, told apart by dashes."""
    return Style(MUTED, RIVAL_DASHES[place % len(RIVAL_DASHES)], 1.4)


def save(panel: Panel, folder: Path) -> list[Path]:
    """Writes `<name>.png` and `<name>.svg` into the folder, on white, with a legend."""
    figure = _figure(panel, legend=panel.has_legend)
    paths = [folder / f"{panel.name}.png", folder / f"{panel.name}.svg"]
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(paths[0], dpi=_PNG_DPI)
    # Neither a date nor random names in the file: the same campaign draws the same bytes.
    with _settings({"svg.hashsalt": panel.name}):
        figure.savefig(paths[1], metadata={"Date": None})
    return paths


def inline_svg(panel: Panel) -> str:
    """The figure as an `<svg>` element for the page, in the page's colours and type.

    Its text is text, which can be searched and read aloud; every id begins with the panel's name,
    so that no two figures of a page collide.
    """
    text = io.StringIO()
    with _settings({"svg.hashsalt": panel.name, "svg.fonttype": "none"}):
        _figure(panel, legend=False).savefig(
            text, format="svg", transparent=True, metadata={"Date": None}
        )
    return _for_page(text.getvalue(), prefix=panel.name)


def _for_page(markup: str, *, prefix: str) -> str:
    """What matplotlib wrote, without what belongs to a file of its own or would reach outside."""
    markup = markup[markup.index("<svg") :]
    for superfluous in _SUPERFLUOUS:
        markup = superfluous.sub("", markup)
    markup = markup.replace(' id="', f' id="{prefix}-')
    markup = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", markup)
    markup = re.sub(r"\s+", " ", markup)
    for colour, name in _PROPERTIES.items():
        markup = markup.replace(colour, name)
    return markup.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)


def _settings(parameters: dict[str, Any]) -> Any:
    from matplotlib import rc_context

    return rc_context(parameters)


def _figure(panel: Panel, *, legend: bool) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(panel.width_inches, panel.height_inches), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    panel.draw(axes)
    _decorate(axes, panel.title)
    handles, labels = axes.get_legend_handles_labels()
    if legend and labels:
        # The legend has room of its own, below what the page shows.
        rows = -(-len(labels) // _LEGEND_COLUMNS)
        figure.set_figheight(panel.height_inches + _LEGEND_ROW_INCHES * rows)
        figure.legend(
            handles,
            labels,
            loc="outside lower left",
            ncols=_LEGEND_COLUMNS,
            fontsize=8,
            frameon=False,
            labelcolor=INK,
        )
    return figure


def _decorate(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, color=INK, parse_math=False)
    axes.grid(color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=MUTED, labelsize=8.5, length=0)
    axes.xaxis.label.set(color=MUTED, fontsize=8.5)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)
