"""Makes or migrates the MLflow database aside, so that whoever is killed leaves no half of one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Literal

MAKING: Final = ".making"
"""What the name of a database ends with until it is whole."""

# What SQLite keeps beside a database.
_BESIDE: Final = ("-wal", "-shm", "-journal")
# A database without a row in any of these holds nothing of anybody.
_HOLDERS: Final = ("runs", "registered_models", "trace_info")

# What an address holds otherwise than a path.
_QUOTED: Final = "%?"
_QUOTED_AS: Final = {ord(character): f"%{ord(character):02X}" for character in _QUOTED}

_State = Literal["absent", "unfinished", "old", "whole"]


def make_ready(database: Path) -> None:
    """Makes a database that is absent or unfinished, and migrates one of an older MLflow.

    MLflow creates and migrates a database in place, in many transactions, and can use none that was
    left in the middle. So both are done in a file of another name, which takes the database's place
    once it is whole. The caller holds the store's lock.

    Args:
        database: The file.

    Raises:
        sqlite3.OperationalError: If another process holds a database that is to be replaced.
        sqlite3.DatabaseError: If the file is no database.
        alembic.util.CommandError: If it is of a later MLflow.
    """
    match _state(database):
        case "absent":
            with _replacing(database) as aside:
                _create(aside)
        case "unfinished":
            _claim(database)
            with _replacing(database) as aside:
                _create(aside)
        case "old":
            _claim(database)
            with _replacing(database) as aside:
                _copy(database, aside)
                _upgrade(aside)
        case "whole":
            pass
    _let_readers_in(database)


def address(database: Path) -> str:
    """A database as SQLAlchemy is told of it."""
    path = str(database)
    if not any(character in path for character in _QUOTED):
        return f"sqlite:///{path}"
    # SQLAlchemy reads %3F as a question mark. With the driver's name MLflow does not make the
    # folder beforehand, which it would do under the quoted name.
    return f"sqlite+pysqlite:///{path.translate(_QUOTED_AS)}"


def _state(database: Path) -> _State:
    from mlflow.store.db.utils import _get_latest_schema_revision

    if not database.exists():
        return "absent"
    with closing(sqlite3.connect(database)) as connection:
        tables = {name for (name,) in connection.execute(_TABLES)}
        revisions = _rows(connection, "alembic_version", tables)
        if revisions == [(_get_latest_schema_revision(),)]:
            return "whole"
        is_empty = not any(_rows(connection, table, tables) for table in _HOLDERS)
    return "unfinished" if is_empty and tables <= _known_tables() else "old"


_TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table'"


def _rows(connection: sqlite3.Connection, table: str, tables: set[str]) -> list[Any]:
    """Some rows of a table; none where there is no such table."""
    return (
        connection.execute(f"SELECT * FROM {table} LIMIT 2").fetchall() if table in tables else []
    )


def _known_tables() -> set[str]:
    """Tables that MLflow makes, on the way to a whole database as well."""
    from mlflow.store.db.utils import Base, InitialBase

    made = {*Base.metadata.tables, *InitialBase.metadata.tables}
    passing = {f"_alembic_tmp_{name}" for name in made}
    return {*made, *passing, "alembic_version", "sqlite_sequence", "sqlite_stat1"}


def _claim(database: Path) -> None:
    """Makes sure that nobody else has the database open, since their writes would be lost."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        # Ends write-ahead logging, which only the last connection can.
        (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        if mode != "delete":
            raise sqlite3.OperationalError(
                f"{database} is of another version of MLflow and cannot be migrated while another "
                "process, such as a dashboard, has it open"
            )
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")


@contextmanager
def _replacing(database: Path) -> Iterator[Path]:
    """A file that becomes the database when it is whole."""
    aside = database.with_name(database.name + MAKING)
    _discard(aside)
    yield aside
    with closing(sqlite3.connect(aside)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for ending in _BESIDE:  # of a database that is not there any more, or that nobody has open
        database.with_name(database.name + ending).unlink(missing_ok=True)
    os.replace(aside, database)


def _discard(path: Path) -> None:
    for ending in ("", *_BESIDE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _create(aside: Path) -> None:
    from mlflow.store.db.utils import _initialize_tables

    with _engine(aside) as engine:
        _initialize_tables(engine)


def _copy(database: Path, aside: Path) -> None:
    with closing(sqlite3.connect(database)) as old, closing(sqlite3.connect(aside)) as copy:
        old.backup(copy)


def _upgrade(aside: Path) -> None:
    from mlflow.store.db.utils import _upgrade_db

    with _engine(aside) as engine:
        _upgrade_db(engine)


@contextmanager
def _engine(aside: Path) -> Iterator[Any]:
    from sqlalchemy import create_engine

    engine = create_engine(address(aside))
    try:
        yield engine
    finally:
        engine.dispose()


def _let_readers_in(database: Path) -> None:
    """Write-ahead logging, once for the file: a dashboard that reads does not stop the mirror.

    It fails soon if the file is locked; MLflow would retry for most of an hour.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
