"""A journal as one small file: to be kept for good, and gone on with elsewhere."""

from __future__ import annotations

import lzma
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from search.journal.journal import FILE_NAME
from search.journal.opening import open_to_read

PACKED: Final = f"{FILE_NAME}.xz"


def packed(path: Path) -> bytes:
    """A journal as it is now, compressed; `xz --decompress` makes a journal of it again.

    Args:
        path: Of the journal; it may be written meanwhile.

    Raises:
        sqlite3.Error: If it is no journal.
    """
    with closing(open_to_read(path)) as connection, closing(sqlite3.connect(":memory:")) as copy:
        connection.backup(copy)
        copy.execute("VACUUM")
        return lzma.compress(copy.serialize(), preset=lzma.PRESET_EXTREME | 9)
