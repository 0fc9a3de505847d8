"""The truth about a campaign: every event, durable before it counts."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from search.journal.coding import Kind, Row, checksum_of, decoded, encoded
from search.journal.file_systems import file_system, is_network
from search.journal.opening import (
    BeingWrittenError,
    let_others_read,
    open_to_read,
    open_to_write,
)

FILE_NAME: Final = "journal.sqlite"
FORMAT: Final = 2

# AUTOINCREMENT makes SQLite remember the highest sequence ever given, in a table of its own: so a
# journal whose last events were cut off is told from one that never had them.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    time     REAL NOT NULL,
    payload  TEXT NOT NULL,
    checksum TEXT NOT NULL,
    UNIQUE (kind, key)
)
"""
# An event happens once. In one statement, since each costs as much as what it does.
_INSERT: Final = (
    "INSERT INTO events SELECT ?1, ?2, ?3, ?4, ?5, ?6 "
    "WHERE NOT EXISTS (SELECT 1 FROM events WHERE kind = ?2 AND key = ?3)"
)
_LAST_GIVEN: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
# A longer text is no event of ours; it bounds what a damaged file can make us read.
_MAX_EVENT_BYTES: Final = 10_000_000
# What may go away by itself or by the user's hand, and says nothing against the file.
_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)


class JournalError(RuntimeError):
    """A journal that cannot be read, or that contradicts what is to be written."""


class Event(NamedTuple):
    """One row of the journal.

    Attributes:
        sequence: Position, growing from 1.
        kind: What the payload is.
        key: Distinguishes the events of a kind; an event happens once.
        time: Seconds since the epoch at which it was written.
        payload: A JSON document.
    """

    sequence: int
    kind: Kind
    key: str
    time: float
    payload: Mapping[str, Any]


class Journal:
    """An append-only log of events in SQLite.

    A campaign is deterministic, so resuming it is running it again: events that the journal
    already holds are compared instead of written, and evaluations are read instead of repeated.
    Each event carries a checksum over itself and the checksum before it, which everybody who reads
    the event checks; the whole chain is checked when a journal is opened for writing. Readers may
    follow a journal while another process writes it.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens or creates the journal at `path`.

        Raises:
            JournalError: If the file is no journal, a damaged one, or one of another format.
            FileNotFoundError: If it is to be read and does not exist.
        """
        if read_only and not path.is_file():
            kept = f", which is kept at {path.resolve()}" if path.is_symlink() else ""
            raise FileNotFoundError(f"there is no journal at {path}{kept}")
        self.path = path
        # Races that run ahead read in threads of their own, while the loop writes.
        self._using = threading.RLock()
        with self._explained():
            place = path.resolve()  # where it is a link, that to which SQLite writes beside it
            self._connection = open_to_read(place) if read_only else open_to_write(place)
        try:
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_EVENT_BYTES)
            with self._explained():
                self._prepare(read_only=read_only)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, *, read_only: bool) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise JournalError(
                f"{self.path} has format {version}, this program reads format {FORMAT}: use the "
                "version of actsearch that wrote it, or move it away to start anew"
            )
        if read_only:
            if version == 0:  # made a moment ago, its writer has not come to the table yet
                raise FileNotFoundError(f"the journal at {self.path} holds nothing yet")
            self._connection.execute("PRAGMA query_only = ON")
            self._check_end()
            return
        if version == 0:
            self._create()
        self._check_whole()
        let_others_read(self._connection, self.path)

    def _create(self) -> None:
        """Makes the table, unless the file is somebody else's."""
        if self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() != (0,):
            raise self._damage("it is a database of another program")
        let_others_read(self._connection, self.path)
        with self._transaction():
            self._connection.execute(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _check_whole(self) -> None:
        """Reads everything once: pages and index by SQLite's own rules, events by checksums."""
        (report,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
        if report != "ok":
            raise self._damage(report)
        self._check_end()
        for _ in self._rows(0):
            pass

    def _check_end(self) -> None:
        """Whether the last event that was ever written is there."""
        last, given = self._connection.execute(
            f"SELECT (SELECT max(sequence) FROM events), ({_LAST_GIVEN})"
        ).fetchone()
        if (last or 0) != (given or 0):
            raise self._damage(f"it ends with event {last or 0} of {given or 0}")

    @property
    def identity(self) -> str:
        """What tells it from all other journals but its copies; it holds an event."""
        return self._checksum_at(1)

    def append(self, kind: Kind, key: str, payload: Mapping[str, Any]) -> None:
        """Writes one event; see `append_all`."""
        self.append_all([(kind, key, payload)])

    def append_all(self, events: Iterable[tuple[Kind, str, Mapping[str, Any]]]) -> None:
        """Writes events in one transaction; when it returns they are durable.

        An event that is already there is skipped if its payload is the same.

        Raises:
            JournalError: If it is there with another payload: the campaign would not be the one
                that the journal tells of. Or if the file cannot be written, for want of room for
                instance; nothing of the transaction stays then.
        """
        with self._explained(), self._transaction():
            last = self._connection.execute(
                "SELECT sequence, checksum FROM events ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
            sequence, checksum = last or (0, "")
            for kind, key, payload in events:
                text = encoded(payload)
                row = (sequence + 1, kind, key, time.time(), text)
                after = checksum_of(checksum, row)
                if self._connection.execute(_INSERT, (*row, after)).rowcount:
                    sequence, checksum = sequence + 1, after
                else:
                    self._compare(kind, key, text)

    def _compare(self, kind: Kind, key: str, text: str) -> None:
        """Makes sure that an event that has happened had this payload."""
        (recorded,) = self._connection.execute(
            "SELECT payload FROM events WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        if recorded != text:
            raise JournalError(
                f"running the campaign again gave another {kind} {key!r} than {self.path} records; "
                f"it was left as it is. Recorded: {recorded[:200]} Now: {text[:200]}"
            )

    def get(self, kind: Kind, key: str) -> Mapping[str, Any] | None:
        """The payload of an event, None if it has not happened.

        Raises:
            JournalError: If the event is damaged.
        """
        with self._explained():
            row = self._connection.execute(
                "SELECT sequence FROM events WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
            if row is None:
                return None
            (*_, payload) = next(self._rows(row[0] - 1, at_most=1))
        document: dict[str, Any] = decoded(payload)
        return document

    def events(self, *kinds: Kind, after: int = 0) -> Iterator[Event]:
        """Yields the events of the given kinds (all by default) beyond a position, in order.

        Raises:
            JournalError: If an event beyond that position is damaged, of whatever kind.
        """
        with self._explained():
            rows = list(self._rows(after))
        for sequence, kind, key, moment, payload in rows:
            if not kinds or kind in kinds:
                yield Event(sequence, kind, key, moment, decoded(payload))

    def _rows(self, after: int, *, at_most: int = -1) -> Iterator[Row]:
        """Rows beyond a position, each with its checksum checked; -1 at most means all.

        A damaged index hides nothing here, since none is used.
        """
        before = self._checksum_at(after)
        query = "SELECT * FROM events NOT INDEXED WHERE sequence > ? ORDER BY sequence LIMIT ?"
        with closing(self._connection.execute(query, (after, at_most))) as rows:
            for position, fields in enumerate(rows, after + 1):
                row: Row = fields[:-1]
                checksum: str = fields[-1]
                if row[0] != position or checksum != checksum_of(before, row):
                    raise self._damage(f"event {position} is missing or altered")
                before = checksum
                yield row

    def _checksum_at(self, position: int) -> str:
        if position == 0:
            return ""
        row = self._connection.execute(
            "SELECT checksum FROM events WHERE sequence = ?", (position,)
        ).fetchone()
        if row is None:
            raise self._damage(f"event {position} is missing")
        return str(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; IMMEDIATE, so that nobody writes between what is read and written."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """One thread at a time; says in our words what SQLite says in its own."""
        try:
            with self._using:
                yield
        except BeingWrittenError as error:
            raise JournalError(str(error)) from error
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _PASSING:
                raise self._damage(str(error)) from error
            raise JournalError(
                f"{self.path} cannot be read or written now ({error}); what it holds is safe: see "
                f"that its disk has room and that it may be written, then launch again{self._hint}"
            ) from error

    @property
    def _hint(self) -> str:
        """What else may be the matter where other machines see the file too."""
        kind = file_system(self.path)
        if not is_network(kind):
            return ""
        return (
            f"; if its file system ({kind}) has no locks, keep the campaign, or its journal alone "
            "(--journal-dir), on a local disk"
        )

    def _damage(self, what: str) -> JournalError:
        return JournalError(
            f"{self.path} is not a readable journal ({what}); it was left as it is: restore a "
            "copy, or move it away and launch the campaign again, which finds the same functions"
        )

    def close(self) -> None:
        """Closes the file; the journal cannot be used afterwards."""
        # A race that runs ahead of the end may be reading, and SQLite would crash the process.
        with self._using:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
