"""Writes files whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Replaces a file by another, so that whoever reads it sees one or the other.

    Args:
        path: The file; its folder exists.
        text: What it is to hold, written as UTF-8; bytes of a path that are no text are spelt out.

    Raises:
        OSError: If there is no room, or the folder may not be written; the file is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        # Nor can it be there where its folder is none.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is not None:
            # Of the temporary file nobody has heard.
            error.filename = str(path)
            del error.filename2
        raise
