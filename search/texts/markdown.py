"""Text from elsewhere as Markdown shows it: as it is, whatever it holds."""

from __future__ import annotations

import html
import re
from typing import Final

# What begins a link, a picture or code; the rest of Markdown changes how text looks, not what it
# does, and formulas are full of it.
_DOING: Final = re.compile(r"([\\`\[\]])")


def plain(text: str) -> str:
    """Text in which Markdown finds no element, link, picture or line of its own.

    Args:
        text: Of one paragraph or cell.
    """
    escaped = html.escape(_DOING.sub(r"\\\1", " ".join(text.split())), quote=False)
    return escaped.replace("|", r"\|")


def code(text: str) -> str:
    """Text as code within a line or a cell of a table."""
    line = " ".join(text.split())
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}".replace("|", r"\|")
