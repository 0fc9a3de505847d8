"""The palette of all pictures, and how a function is drawn in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

INK: Final = "#1f2328"
MUTED: Final = "#6a737c"
FAINT: Final = "#a3abb3"
RULE: Final = "#dde2e7"
PAPER: Final = "#fffffe"

# Okabe and Ito (2008): told apart under every common form of colour blindness, and in print.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
# With more functions than colours the dashes tell them apart.
DASHES: Final = ("solid", "dashed", "dotted", "dashdot")

# A report follows few functions closely, in the colours that its page has for light and dark.
WINNERS: Final = COLOURS[:3]

# Inside the page the reader's light or dark decides: its style sheet defines these properties.
PROPERTIES: Final[Mapping[str, str]] = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    FAINT: "var(--faint)",
    RULE: "var(--rule)",
    PAPER: "var(--paper)",
    WINNERS[0]: "var(--winner-1)",
    WINNERS[1]: "var(--winner-2)",
    WINNERS[2]: "var(--winner-3)",
}
_SVG_DASHES: Final[Mapping[str, str]] = {
    "": "",
    "solid": "none",
    "dashed": "6 3",
    "dotted": "2 2.5",
    "dashdot": "7 2.5 2 2.5",
}


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
        return {"colour": PROPERTIES[self.colour], "dashes": _SVG_DASHES[self.dash]}


REFERENCE: Final = Style(FAINT, width=2.5)
"""Of ReLU behind the functions that are compared with it."""


def numbered_style(number: int) -> Style:
    """Of one of any number of functions, counted from 0."""
    return _coloured(number, COLOURS, width=1.8)


def winner_style(number: int) -> Style:
    """Of one of the best functions of a campaign, the best of them number 0."""
    return _coloured(number, WINNERS, width=2.0)


def rival_style(number: int) -> Style:
    """Of a published function: grey, told apart by dashes."""
    return Style(MUTED, DASHES[number % len(DASHES)], 1.4)


def _coloured(number: int, colours: tuple[str, ...], *, width: float) -> Style:
    turn, colour = divmod(number, len(colours))
    return Style(colours[colour], DASHES[turn % len(DASHES)], width)
