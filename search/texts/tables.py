"""Tables of text, as they are shown where no terminal draws them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

Table = tuple[tuple[str, ...], ...]
"""A heading, then rows of as many cells."""


def aligned(table: Table) -> list[str]:
    """A line for each row, its columns one below the other."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def as_text(tables: Mapping[str, Table], sentences: list[str]) -> str:
    """Tables below their titles, then sentences."""
    parts = ["\n".join([f"{title}:", *aligned(table)]) for title, table in tables.items()]
    return "\n\n".join([*parts, *sentences])


def as_html(tables: Mapping[str, Table], sentences: list[str]) -> str:
    """The same for notebooks."""
    parts = []
    for title, (heading, *rows) in tables.items():
        head = "".join(f"<th>{escape(cell)}</th>" for cell in heading)
        cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        parts.append(f"<h4>{escape(title)}</h4><table><tr>{head}</tr>{body}</table>")
    return "".join([*parts, *(f"<p>{escape(text)}</p>" for text in sentences)])
