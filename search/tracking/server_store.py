"""An MLflow store that others keep and write to as well: a tracking server, or a database."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import Any, Final

from search.tracking.destination import Destination
from search.tracking.store import TrackingError, artifacts_path, quiet_mlflow

SERVERS: Final = ("http", "https", "databricks")
# What SQLAlchemy speaks to each with, and what installs it.
DRIVERS: Final = {
    "postgresql": ("psycopg", "pip install 'actsearch[postgresql]'"),
    "mysql": ("pymysql", "pip install pymysql, and write mysql+pymysql://..."),
    "mssql": ("pyodbc", "pip install pyodbc"),
}


# What a second request would do twice if the answer to the first one was lost.
_ONCE: Final = frozenset({"create_run", "create_logged_model", "create_model_version"})
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.3


class _Patient:
    """A client that tries again, a few times and at once, what may be done twice.

    Opening a campaign's place takes a dozen requests, which on a bad day would never all succeed.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return method if name in _ONCE or not callable(method) else _again(method)


def _again(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        for attempt in range(1, _ATTEMPTS):
            try:
                return method(*arguments, **options)
            except Exception:  # MLflow, requests and SQLAlchemy have no common base
                time.sleep(attempt * _PAUSE_SECONDS)
        return method(*arguments, **options)

    return call


class ServerStore:
    """An open store."""

    is_shared: Final = True
    is_replaced: Final = False

    def __init__(self, destination: Destination) -> None:
        quiet_mlflow()
        from mlflow import MlflowClient

        self._destination = destination
        if destination.scheme in DRIVERS:
            _make_tables(destination)
        self.client: Any = _Patient(MlflowClient(destination.uri, destination.uri))

    def artifact_location(self, name: str) -> str | None:
        """Where the artifacts of an experiment of that name go; None leaves it to the server."""
        destination = self._destination
        if destination.artifacts is not None:
            return f"{destination.artifacts.rstrip('/')}/{name}"
        if destination.scheme in DRIVERS:
            return (artifacts_path(destination.runs_dir) / name).as_uri()
        return None

    def analyze(self) -> None:
        """Databases that others keep gather their statistics by themselves."""

    def close(self) -> None:
        """MLflow keeps its connections, for whoever opens the store next."""


def check_driver(destination: Destination) -> None:
    """Makes sure that the database's driver is installed.

    Raises:
        TrackingError: If it is not.
    """
    driver, way_out = DRIVERS.get(destination.scheme, ("", ""))
    own = (destination.uri or "").partition(":")[0].partition("+")[2]
    if driver and find_spec(own or driver) is None:
        raise TrackingError(
            f"{destination.shown} needs the package {own or driver}, which is not installed; "
            f"{way_out}"
        )


def _make_tables(destination: Destination) -> None:
    """Lets MLflow make its tables in an empty database, with artifacts where they belong."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    root = destination.artifacts or artifacts_path(destination.runs_dir).as_uri()
    SqlAlchemyStore(destination.uri, root).engine.dispose()
