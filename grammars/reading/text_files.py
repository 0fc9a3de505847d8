"""Reads text files that people edit, whatever their editor puts in front of the text."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

# UTF-32 begins as UTF-16 does, so it is looked for first.
_OTHER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class TextFileError(ValueError):
    """A file that holds no text that can be read here, or too much of it."""


def read_text(path: Path, *, max_bytes: int) -> str:
    """Reads a whole file as UTF-8, a byte order mark at its beginning left out.

    Args:
        path: The file.
        max_bytes: Of which it may have so many.

    Returns:
        The text, its lines ended by line feeds.

    Raises:
        TextFileError: If the file is larger or not UTF-8, or the path can be none; the message
            names the file.
        OSError: If it cannot be read.
    """
    if "\0" in str(path):
        raise TextFileError(f"{str(path)!r} is no path: it holds a null character")
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        size = max(path.stat().st_size, len(data))
        raise TextFileError(f"{path} has {size:,} bytes; at most {max_bytes:,} are allowed")
    for mark, name in _OTHER_MARKS:
        if data.startswith(mark):
            raise TextFileError(f"{path} is not UTF-8 text but {name}; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextFileError(f"{path} is not UTF-8 text: {error}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
