"""Reads TOML files of anybody's making, within limits of size, depth and digits."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

MAX_FILE_BYTES: Final = 1_000_000
_MAX_DEPTH: Final = 50
_INTEGERS: Final = range(-(2**63), 2**63)


class TomlError(ValueError):
    """A file that is no TOML, or more of it than anybody means."""


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a file.

    Raises:
        TomlError: If it is not TOML, or beyond the limits; the message names the file.
        OSError: If it cannot be read.
    """
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise TomlError(f"{path} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are allowed")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TomlError(f"{path} is not UTF-8 text: {error}") from None
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
        raise TomlError(f"{what} is not valid TOML: {error}") from None
    except ValueError as error:  # a number with thousands of digits, a day that no calendar has
        raise TomlError(f"{what} holds a value that cannot be read: {error}") from None
    except RecursionError:
        raise TomlError(f"{what} is nested too deep") from None
    _check(document, what=what, depth=0)
    return document


def _check(value: Any, *, what: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise TomlError(f"{what} is nested too deep; at most {_MAX_DEPTH} levels are allowed")
    if isinstance(value, int) and value not in _INTEGERS:
        raise TomlError(f"{what} holds an integer beyond 64 bits, which TOML does not know")
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _check(part, what=what, depth=depth + 1)
