"""Tables on a terminal: numbers and ids stay whole, and what finds no room is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from rich import box
from rich.cells import cell_len
from rich.table import Table

from search.cli.options import wide_console

if TYPE_CHECKING:
    from search.texts.tables import Table as TextTable

Breaks = Literal["nowhere", "between words", "anywhere"]
"""Where a cell may go on in the next line."""

# An expression that is narrower is hard to read; what can be left out is left out before.
_READABLE: Final = 18
# Around each column, beside the space between two of them; then at both ends of a line.
_AROUND: Final = 3
_ENDS: Final = 1


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        heading: Above it; it goes on in the next line between its words.
        cells: Below it, from the top.
        breaks: Where a cell may go on in the next line.
        leaves: Its turn to be left out where there is no room; 0 stays always.
        is_right: Whether cells end below each other, as numbers do.
        usual: The width that it has where there is room, however short its cells are.
    """

    heading: str
    cells: tuple[str, ...]
    breaks: Breaks = "nowhere"
    leaves: int = 0
    is_right: bool = False
    usual: int = 0

    @property
    def natural(self) -> int:
        """The width at which nothing goes on in the next line."""
        return max(self.usual, cell_len(self.heading), self._longest_line)

    @property
    def least(self) -> int:
        """The width below which something is broken that should not be."""
        word_above = _longest(self.heading.split())
        match self.breaks:
            case "nowhere":
                return max(word_above, self._longest_line)
            case "between words":
                return max(word_above, _longest(w for cell in self.cells for w in cell.split()))
            case "anywhere":
                return max(word_above, min(self._longest_line, _READABLE))

    @property
    def _longest_line(self) -> int:
        return _longest(line for cell in self.cells for line in cell.splitlines())


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that there is room for.

    Of columns that are worth as much, the last leaves first.

    Args:
        columns: From the left.
        width: Of the terminal.
    """
    shown = list(columns)
    while not fit(shown, width):
        leaving = min(
            (each for each in reversed(shown) if each.leaves),
            key=lambda each: each.leaves,
            default=None,
        )
        if leaving is None:
            break
        shown.remove(leaving)
    return shown


def fit(columns: Sequence[Column], width: int) -> bool:
    """Whether there is room for columns with nothing broken that should not be."""
    return sum(each.least for each in columns) <= _room(columns, width)


def missing(columns: Sequence[Column], shown: Sequence[Column]) -> str:
    """A sentence that names the columns that were left out; "" where none was."""
    named = [each.heading for each in columns if each not in shown]
    if not named:
        return ""
    return f"No room for {', '.join(named)}; --csv has {'it' if len(named) == 1 else 'them'}."


def headed(columns: Sequence[Column], width: int, *, title: str | None = None) -> Table:
    """A table that has no rows yet, each column as wide as it is to be."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column, chosen in zip(columns, _widths(columns, width), strict=True):
        table.add_column(
            column.heading,
            justify="right" if column.is_right else "left",
            width=chosen,
            overflow="fold",
        )
    return table


def print_columns(columns: Sequence[Column], *, title: str | None = None) -> None:
    """Prints a table below its title, and below it what was left out.

    Where columns that stay find no room beside each other, they go on below, with the first one
    repeated.
    """
    console = wide_console()
    shown = fitting(columns, console.width)
    if title is not None:
        console.print(title, highlight=False)
    for block in _blocks(shown, console.width):
        table = headed(block, console.width)
        for cells in zip(*(column.cells for column in block), strict=True):
            table.add_row(*cells)
        console.print(table)
    if left_out := missing(columns, shown):
        console.print(left_out, style="dim", highlight=False)


def print_table(
    title: str,
    table: TextTable,
    *,
    breaks: Mapping[str, Breaks] | None = None,
    leaving: Sequence[str] = (),
) -> None:
    """Prints a table below its title.

    Args:
        title: A line of its own.
        table: A heading, then rows.
        breaks: By heading where cells may go on in the next line; others do between words.
        leaving: Headings of columns that may be left out, in this order.
    """
    columns = [
        Column(
            name,
            cells,
            (breaks or {}).get(name, "between words"),
            leaves=leaving.index(name) + 1 if name in leaving else 0,
        )
        for name, cells in _by_heading(table)
    ]
    print_columns(columns, title=title)


def print_figures(title: str, table: TextTable) -> None:
    """Prints numbers below their headings, each column ending at one place.

    Args:
        title: A line of its own.
        table: A heading, then rows.
    """
    columns = [Column(name, cells, is_right=True) for name, cells in _by_heading(table)]
    print_columns(columns, title=title)


def _by_heading(table: TextTable) -> list[tuple[str, tuple[str, ...]]]:
    heading, *rows = table
    return [(name, tuple(row[number] for row in rows)) for number, name in enumerate(heading)]


def _blocks(columns: Sequence[Column], width: int) -> list[list[Column]]:
    first, *others = columns
    blocks = [[first]]
    for column in others:
        if len(blocks[-1]) > 1 and not fit([*blocks[-1], column], width):
            blocks.append([first])
        blocks[-1].append(column)
    return blocks


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """Of each column; the widest ones yield, and go below their least only where all must."""
    widths, room = [each.natural for each in columns], _room(columns, width)
    for least in ([each.least for each in columns], [1] * len(columns)):
        while sum(widths) > room:
            loose = [number for number, chosen in enumerate(widths) if chosen > least[number]]
            if not loose:
                break
            widths[max(loose, key=widths.__getitem__)] -= 1
    return widths


def _room(columns: Sequence[Column], width: int) -> int:
    return width - _AROUND * len(columns) - _ENDS


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)
