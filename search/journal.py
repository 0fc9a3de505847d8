"""The truth about a campaign: every event, durable before it counts."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

Kind = Literal["campaign", "candidate", "evaluation", "generation", "finished"]

FILE_NAME: Final = "journal.sqlite"
FORMAT: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    time     REAL NOT NULL,
    payload  TEXT NOT NULL,
    UNIQUE (kind, key)
)
"""


class JournalError(RuntimeError):
    """A journal that cannot be read, or that contradicts what is to be written."""


@dataclass(frozen=True)
class Event:
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
    Readers may follow a journal while another process writes it.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens or creates the journal at `path`.

        Raises:
            JournalError: If the file is no journal, or one of another format.
            FileNotFoundError: If it is to be read and does not exist.
        """
        if read_only and not path.is_file():
            raise FileNotFoundError(f"there is no journal at {path}")
        self.path = path
        # One connection may serve the loop and, after it, the thread that closes the campaign.
        self._connection = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
        try:
            self._prepare(read_only=read_only)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise JournalError(
                f"{path} is not a readable journal ({error}); it was left as it is: move it away "
                "to start anew, or restore a copy"
            ) from error

    def _prepare(self, *, read_only: bool) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise JournalError(
                f"{self.path} has format {version}, this program reads format {FORMAT}: use the "
                "version of actsearch that wrote it"
            )
        if read_only:
            if version == 0:  # made a moment ago, its writer has not come to the table yet
                raise FileNotFoundError(f"the journal at {self.path} holds nothing yet")
            self._connection.execute("PRAGMA query_only = ON")
            return
        self._connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a committed event survives the loss of power, not only of the process.
        self._connection.execute("PRAGMA synchronous = FULL")
        with self._connection:
            self._connection.execute(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def append(self, kind: Kind, key: str, payload: Mapping[str, Any]) -> None:
        """Writes one event; see `append_all`."""
        self.append_all([(kind, key, payload)])

    def append_all(self, events: Iterable[tuple[Kind, str, Mapping[str, Any]]]) -> None:
        """Writes events in one transaction; when it returns they are durable.

        An event that is already there is skipped if its payload is the same.

        Raises:
            JournalError: If it is there with another payload: the campaign would not be the one
                that the journal tells of.
        """
        with self._connection:
            for kind, key, payload in events:
                text = json.dumps(payload, sort_keys=True, allow_nan=False)
                written = self._connection.execute(
                    "INSERT OR IGNORE INTO events (kind, key, time, payload) VALUES (?, ?, ?, ?)",
                    (kind, key, time.time(), text),
                )
                if written.rowcount == 0:
                    self._check_same(kind, key, text)

    def _check_same(self, kind: Kind, key: str, text: str) -> None:
        (recorded,) = self._connection.execute(
            "SELECT payload FROM events WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        if recorded != text:
            raise JournalError(
                f"running the campaign again gave another {kind} {key!r} than {self.path} records; "
                f"it was left as it is. Recorded: {recorded[:200]} Now: {text[:200]}"
            )

    def get(self, kind: Kind, key: str) -> Mapping[str, Any] | None:
        """The payload of an event, None if it has not happened."""
        row = self._connection.execute(
            "SELECT payload FROM events WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def events(self, *kinds: Kind, after: int = 0) -> Iterator[Event]:
        """Yields the events of the given kinds (all by default) beyond a position, in order."""
        marks = ", ".join("?" for _ in kinds)
        condition = f"AND kind IN ({marks})" if kinds else ""
        query = (
            "SELECT sequence, kind, key, time, payload FROM events "
            f"WHERE sequence > ? {condition} ORDER BY sequence"
        )
        with closing(self._connection.execute(query, (after, *kinds))) as rows:
            for sequence, kind, key, moment, payload in rows.fetchall():
                yield Event(sequence, kind, key, moment, json.loads(payload))

    def close(self) -> None:
        """Closes the file; the journal cannot be used afterwards."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
