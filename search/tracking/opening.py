"""Opens the MLflow store at an address, or says why there can be none."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from search.tracking.destination import EMBEDDED, URI_VARIABLE, Destination
from search.tracking.server_store import DRIVERS, SERVERS, ServerStore, check_driver
from search.tracking.store import MlflowStore, Store, TrackingError, check_place

_SQLITE = "sqlite"

SCHEMES = (EMBEDDED, _SQLITE, *SERVERS, *DRIVERS)
"""What the addresses of MLflow stores begin with."""


def open_store(destination: Destination) -> MlflowStore:
    """Opens a store; one in an SQLite file is created where it is absent."""
    check_store(destination)
    match destination.scheme:
        case "embedded":
            return Store(destination.runs_dir, artifacts=destination.artifacts)
        case "sqlite":
            return Store(
                destination.runs_dir,
                database=_file_of(destination),
                artifacts=destination.artifacts,
            )
        case _:
            return ServerStore(destination)


def check_store(destination: Destination) -> None:
    """Makes sure that a store can be meant, before anything is tried for minutes.

    Raises:
        TrackingError: If it cannot.
    """
    if destination.scheme == EMBEDDED:
        check_place(destination.runs_dir)
    elif destination.scheme not in SCHEMES:
        raise TrackingError(
            f"nothing here can show a campaign at {destination.shown!r} (tracking.uri, --store "
            f"or {URI_VARIABLE}); an address begins with http://, https://, postgresql://, "
            'mysql://, mssql://, sqlite:/// or databricks, and "embedded" is the SQLite file in '
            "the runs directory; tracking.mlflow=false shows nothing"
        )
    elif destination.scheme == _SQLITE:
        check_place(_file_of(destination).parent)
    else:
        check_driver(destination)


def _file_of(destination: Destination) -> Path:
    assert destination.uri is not None
    return Path(unquote(destination.uri.partition(":///")[2]))
