"""The MLflow store under a runs directory: where it is, and opening it quietly and alone."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import quote

from evaluators.reading.file_locks import locked
from search.tracking.making import address, make_ready

DATABASE: Final = "mlflow.db"
ARTIFACTS: Final = "mlartifacts"
LOCK: Final = ".mlflow.lock"

# Nobody is told about a campaign; also set for the dashboard's process.
ENVIRONMENT: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
# Of requests to a server, unless the environment says otherwise. MLflow would try for minutes, and
# create a run again whose answer was lost; we look it up first. To print a link costs a request.
_REQUESTS: Final = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


class TrackingError(RuntimeError):
    """The MLflow store, or a campaign's place in it, cannot be used now."""


def store_uri(runs_dir: Path) -> str:
    """The address of the tracking store, as `mlflow.set_tracking_uri` takes it.

    Raises:
        TrackingError: If MLflow cannot keep a store there; see `check_place`.
    """
    check_place(runs_dir)
    return address(database_path(runs_dir))


def check_place(runs_dir: Path) -> None:
    """Makes sure that MLflow can keep a store in a runs directory, before it tries for minutes.

    Raises:
        TrackingError: If it cannot: MLflow takes paths for text, and some names are none.
    """
    try:
        str(runs_dir.resolve()).encode()
    except UnicodeEncodeError:
        raise TrackingError(
            f"MLflow cannot keep its store under {str(runs_dir.resolve())!r}: the name is not "
            "UTF-8; choose another runs directory (--runs-dir), or launch without MLflow "
            "(--set tracking.mlflow=false)"
        ) from None


def database_path(runs_dir: Path) -> Path:
    """The file of the tracking store."""
    return runs_dir.resolve() / DATABASE


def artifacts_path(runs_dir: Path) -> Path:
    """The folder of all artifacts."""
    return runs_dir.resolve() / ARTIFACTS


@contextmanager
def exclusive(path: Path, *, wait: bool) -> Iterator[None]:
    """Holds a lock that ends with the process, however the process ends.

    Args:
        path: File to lock; made where it is absent, and left there.
        wait: Whether to wait for another holder.

    Raises:
        BlockingIOError: If another holds it and we do not wait.
        LocksUnsupportedError: If its file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path, wait=wait):
        yield


class MlflowStore(Protocol):
    """An open MLflow store, whichever."""

    client: Any

    @property
    def is_shared(self) -> bool:
        """Whether others, with campaigns of the same names, write there too."""
        ...

    @property
    def is_replaced(self) -> bool:
        """Whether what was written is gone."""
        ...

    def artifact_location(self, name: str) -> str | None:
        """Where the artifacts of an experiment of that name go; None leaves it to the server."""
        ...

    def analyze(self) -> None:
        """Makes sorting fast, where that is up to us."""
        ...

    def close(self) -> None:
        """Lets go of the store."""
        ...


class Store:
    """An open MLflow store in an SQLite file, created where it is absent.

    Importing mlflow takes seconds, and so does creating a database: a campaign does both on the
    mirror's thread.
    """

    def __init__(
        self, runs_dir: Path, *, database: Path | None = None, artifacts: str | None = None
    ) -> None:
        """Opens the store.

        Args:
            runs_dir: Of the campaigns.
            database: Its file; None for that in the runs directory, which is nobody else's.
            artifacts: Folder or address of artifacts; None for that beside the database.
        """
        self._database = database.resolve() if database else database_path(runs_dir)
        self.is_shared = database is not None
        self._artifacts = artifacts or (self._database.parent / ARTIFACTS).as_uri()
        quiet_mlflow()
        from mlflow import MlflowClient
        from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        check_place(self._database.parent)
        uri = address(self._database)
        # Several processes that make one new database together all fail.
        with exclusive(self._database.parent / LOCK, wait=True):
            make_ready(self._database)
            # MLflow caches connections by address, for good. Asking for the store itself, and
            # letting go of its connections in `close`, notices that a database was deleted.
            self._tables = SqlAlchemyStore(uri, self._artifacts)
            self._registry = Registry(uri)
        self._identity = _identity(self._database)
        self.client: Any = MlflowClient(tracking_uri=uri, registry_uri=uri)

    @property
    def is_replaced(self) -> bool:
        """Whether the database file was deleted or exchanged since it was opened."""
        return _identity(self._database) != self._identity

    def artifact_location(self, name: str) -> str:
        """Where the artifacts of an experiment of that name go."""
        return f"{self._artifacts}/{quote(name)}"

    def analyze(self) -> None:
        """Lets SQLite gather statistics: sorting 10,000 runs takes 0.3 s then instead of 7."""
        with closing(sqlite3.connect(self._database)) as database:
            database.execute("ANALYZE")

    def close(self) -> None:
        """Lets go of the database."""
        self._tables.engine.dispose()
        self._registry.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def quiet_mlflow() -> None:
    """Imports MLflow, and keeps it from telling anybody of a campaign, and from printing."""
    os.environ.update({**_REQUESTS, **os.environ, **ENVIRONMENT})
    import mlflow  # noqa: F401  (its import installs the handlers that are silenced here)

    # Failures arrive as exceptions; what MLflow and Alembic print besides would tear the
    # campaign's progress display.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
