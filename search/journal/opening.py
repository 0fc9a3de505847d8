"""Opens the file of a journal, whatever the file system that it lies on can do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from search.journal.file_systems import file_system, is_network

_BUSY_SECONDS: Final = 30.0

# The write-ahead log lets others read while one writes. It needs memory that all of them share; a
# rollback journal needs locks alone.
_SHARED: Final = "WAL"
_BY_LOCKS: Final = "TRUNCATE"

# What SQLite says where it could make no shared memory.
_WITHOUT_MEMORY: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL)
# What it says where it could write nothing beside the file.
_WITHOUT_WRITING: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)

_BESIDE: Final = ("-wal", "-journal")
_ATTEMPTS: Final = 20
_PAUSE_SECONDS: Final = 0.1


class BeingWrittenError(RuntimeError):
    """A journal changed whenever it was copied, on a machine whose locks are not seen here."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """Opens or creates a journal's file; nothing of it is changed yet.

    Raises:
        sqlite3.Error: If it cannot be opened.
    """
    if not _is_on_a_network(path):
        connection = _connect(path)
        try:
            _look_into(connection)
            return connection
        except sqlite3.OperationalError as error:
            connection.close()
            if _code(error) not in _WITHOUT_MEMORY:
                raise
        except BaseException:
            connection.close()
            raise
    return _connect_alone(path)


def let_others_read(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the file one that others read while this connection writes, as well as its place can.

    Raises:
        sqlite3.Error: If it cannot be changed.
    """
    if _is_on_a_network(path) or not _can_share(connection):
        connection.execute(f"PRAGMA journal_mode = {_BY_LOCKS}")
        connection.execute("PRAGMA locking_mode = NORMAL")
        _look_into(connection)  # which lets go of the lock
    # FULL: a committed event survives the loss of power, not only of the process.
    connection.execute("PRAGMA synchronous = FULL")


def open_to_read(path: Path) -> sqlite3.Connection:
    """Opens a journal's file, or a copy of it in memory where nothing may be written beside it.

    Raises:
        BeingWrittenError: If it cannot be copied whole.
        sqlite3.Error: If it cannot be opened.
        OSError: If it cannot be read.
    """
    connection = _connect(path)
    try:
        _look_into(connection)
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        # A file system without locks calls the file busy.
        if _code(error) not in _WITHOUT_WRITING and os.access(path.parent, os.W_OK):
            raise
    except BaseException:
        connection.close()
        raise
    return _copied(path)


def _can_share(connection: sqlite3.Connection) -> bool:
    """Whether the file is in write-ahead mode now."""
    if connection.execute("PRAGMA locking_mode").fetchone() == ("exclusive",):
        return False
    try:
        answer = connection.execute(f"PRAGMA journal_mode = {_SHARED}").fetchone()
    except sqlite3.OperationalError as error:
        if _code(error) not in _WITHOUT_MEMORY:
            raise
        return False
    return bool(answer == (_SHARED.lower(),))


def _copied(path: Path) -> sqlite3.Connection:
    """The journal in memory, as it was at one moment."""
    for _ in range(_ATTEMPTS):
        stamps = _stamps(path)
        memory = _connect(Path(":memory:"))
        try:
            with _as_it_lies(path) as connection:
                connection.backup(memory)
            if _stamps(path) == stamps:
                return memory
        except sqlite3.DatabaseError:
            if _stamps(path) == stamps:
                memory.close()
                raise
        memory.close()
        time.sleep(_PAUSE_SECONDS)
    raise BeingWrittenError(
        f"{path} is being written faster than it can be copied, and no locks of its writer are "
        "seen here; read it on the machine that writes it, or again when that has ended"
    )


@contextmanager
def _as_it_lies(path: Path) -> Iterator[sqlite3.Connection]:
    """Opens the file and what belongs to it without writing there."""
    logs = [log for log in _files(path)[1:] if log.is_file() and log.stat().st_size]
    if not logs:
        with closing(_connect(f"{path.absolute().as_uri()}?immutable=1")) as connection:
            yield connection
        return
    # The log holds events that are not in the file yet, and is read where it can be written.
    with tempfile.TemporaryDirectory(prefix="actsearch-journal-") as folder:
        for file in (path, *logs):
            shutil.copyfile(file, Path(folder, file.name))
        with closing(_connect_alone(Path(folder, path.name))) as connection:
            yield connection


def _files(path: Path) -> list[Path]:
    return [path, *(path.with_name(f"{path.name}{ending}") for ending in _BESIDE)]


def _stamps(path: Path) -> list[tuple[int, int, int] | None]:
    """What changes with every change of the files."""
    found: list[tuple[int, int, int] | None] = []
    for file in _files(path):
        try:
            status = file.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return found


def _connect(place: Path | str) -> sqlite3.Connection:
    # One connection may serve the loop and, after it, the thread that closes the campaign.
    # Transactions are begun by hand, so that the last event is read inside of them.
    return sqlite3.connect(
        place,
        timeout=_BUSY_SECONDS,
        check_same_thread=False,
        isolation_level=None,
        uri=isinstance(place, str),
    )


def _connect_alone(path: Path) -> sqlite3.Connection:
    """For one connection alone, which needs no shared memory to read the write-ahead log."""
    connection = _connect(path)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _look_into(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA user_version").fetchone()


def _is_on_a_network(path: Path) -> bool:
    return is_network(file_system(path))


def _code(error: sqlite3.Error) -> int:
    """The kind of an error, without its particulars."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
