"""Reads TOML files of anybody's making, within limits of size, depth and digits."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from grammars.reading.text_files import TextFileError, read_text

MAX_FILE_BYTES: Final = 1_000_000
_MAX_DEPTH: Final = 50
_INTEGERS: Final = range(-(2**63), 2**63)


_LOWER_CASE: Final = "; TOML writes true and false in lower case"
_NOTHING: Final = "; TOML has no word for nothing: leave the setting out"
_SPELLINGS: Final = {
    **dict.fromkeys(("true", "false"), _LOWER_CASE),
    **dict.fromkeys(("none", "null", "nil"), _NOTHING),
}


class TomlError(ValueError):
    """A file that is no TOML, or more of it than anybody means."""


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a file.

    Raises:
        TomlError: If it is not TOML, or beyond the limits; the message names the file.
        OSError: If it cannot be read.
    """
    try:
        text = read_text(path, max_bytes=MAX_FILE_BYTES)
    except TextFileError as error:
        raise TomlError(str(error)) from None
    return parse_toml(text, what=str(path))


def parse_toml(text: str, *, what: str) -> dict[str, Any]:
    """Parses a text.

    Args:
        text: The document.
        what: What it is called in messages.

    Raises:
        TomlError: If it is not TOML, or beyond the limits.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"{what} is not valid TOML: {error}{_spelling(text, error)}") from None
    except ValueError as error:  # a number with thousands of digits, a day that no calendar has
        raise TomlError(f"{what} holds a value that cannot be read: {error}") from None
    except RecursionError:
        raise TomlError(f"{what} is nested too deep") from None
    _check(document, what=what, depth=0)
    return document


def _spelling(text: str, error: tomllib.TOMLDecodeError) -> str:
    """A hint where the value that TOML stumbled over is one that Python or JSON writes so."""
    place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    if place is None:
        return ""
    line = text.split("\n")[int(place[1]) - 1]
    word = re.match(r"\w+", line[int(place[2]) - 1 :])
    return "" if word is None else _SPELLINGS.get(word[0].lower(), "")


def _check(value: Any, *, what: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise TomlError(f"{what} is nested too deep; at most {_MAX_DEPTH} levels are allowed")
    if isinstance(value, int) and value not in _INTEGERS:
        raise TomlError(f"{what} holds an integer beyond 64 bits, which TOML does not know")
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _check(part, what=what, depth=depth + 1)
