"""The MLflow UI on a runs directory, as a process of our own that leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from search.journal.journal import FILE_NAME, Journal
from search.tracking import (
    Destination,
    TrackingError,
    artifacts_path,
    candidates_link,
    charts_link,
    comparison_link,
    destination_of_campaign,
    finals_link,
    open_store,
    store_uri,
)
from search.tracking.names import IDENTITY, candidates_experiment, finals_experiment
from search.tracking.store import ENVIRONMENT

HOST: Final = "127.0.0.1"
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.2
LOG_LINES_SHOWN: Final = 15

_SERVER_ENVIRONMENT: Final = {
    **ENVIRONMENT,
    # Jobs are for language models; without them the server needs half the memory.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    # Whatever was set for another server: no page from elsewhere may speak to this one.
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "false",
    "MLFLOW_SERVER_ALLOWED_HOSTS": "",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": "",
    "PYTHONWARNINGS": "ignore",
}


class DashboardError(TrackingError):
    """The MLflow server did not start, or ended by itself."""


class PortInUseError(DashboardError):
    """Another program listens on the port."""


@dataclass(frozen=True)
class CampaignLinks:
    """Where to look at a campaign.

    Attributes:
        campaign: Its name.
        charts: The page of its metrics by generation.
        candidates: The page of its candidates, the fittest first.
        comparison: The charts of its candidates.
        finals: The page of its finals on the campaign's own task; None before they have ended.
    """

    campaign: str
    charts: str
    candidates: str
    comparison: str
    finals: str | None


class Dashboard:
    """A running MLflow server, bound to this machine, with MLflow's checks of hosts left on."""

    def __init__(self, store: Destination, *, port: int) -> None:
        """Starts the server; it answers after `wait_until_ready`.

        Args:
            store: To show; one in an SQLite file is created where it is absent.
            port: To listen on; 0 takes a free one.

        Raises:
            PortInUseError: If another program listens there.
        """
        self.port = _claim(port)
        # Before the server does, which would make or migrate the database in place.
        open_store(store).close()
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (see close)
        self._process = subprocess.Popen(
            _command(self.port),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # Not as arguments, which everybody on this machine may read: they may hold a password.
            env={**os.environ, **_SERVER_ENVIRONMENT, **_served(store)},
            # Its workers are in its group: Ctrl-C reaches us alone, and we end the whole group.
            start_new_session=True,
        )

    @property
    def url(self) -> str:
        """Address of the first page."""
        return f"http://{HOST}:{self.port}"

    def wait_until_ready(self, *, timeout_seconds: float) -> None:
        """Returns when the server answers.

        Raises:
            DashboardError: If it ends before, or does not answer in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self._answers():
            if self._process.poll() is not None:
                raise DashboardError(f"the MLflow server ended at once:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise DashboardError(
                    f"the MLflow server did not answer within {timeout_seconds:g} s; try again "
                    f"when the machine is less busy. It said:\n{self._log_tail()}"
                )
            time.sleep(POLL_SECONDS)

    def wait(self) -> None:
        """Returns when the server ends, which it does not do by itself.

        Raises:
            DashboardError: If it has ended.
        """
        self._process.wait()
        raise DashboardError(f"the MLflow server ended by itself:\n{self._log_tail()}")

    def close(self) -> None:
        """Ends the server and all its processes."""
        for ending in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
                break
        # A worker that outlived the first process of the group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _answers(self) -> bool:
        # No proxy: the address is this machine's.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/health", timeout=5.0) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _log_tail(self) -> str:
        self._log.seek(0)
        return "".join(self._log.readlines()[-LOG_LINES_SHOWN:]).rstrip()


def stores_of(runs_dir: Path, *, uri: str | None = None) -> list[Destination]:
    """The stores that hold the campaigns of a runs directory, the embedded one first.

    Args:
        runs_dir: Of the campaigns.
        uri: Names the only store instead.
    """
    usual = Destination.of({}, runs_dir, uri=uri)
    if uri is not None:
        return [usual]
    folders = [path.parent for path in sorted(runs_dir.glob(f"*/{FILE_NAME}"))]
    found = {each.digest: each for each in map(destination_of_campaign, folders)}
    return sorted(found.values(), key=lambda each: each.uri or "") or [usual]


def campaign_links(destination: Destination, base_url: str) -> list[CampaignLinks]:
    """The campaigns that are in a store, the newest first; of one that others use too, ours.

    Args:
        destination: The store.
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
    """
    with closing(open_store(destination)) as store:
        order = ["creation_time DESC"]
        if not store.is_shared:
            found = store.client.search_experiments(order_by=order)
        else:
            found = [
                experiment
                for identity in _identities(destination.runs_dir)
                for experiment in store.client.search_experiments(
                    filter_string=f"tags.`{IDENTITY}` = '{identity}'", order_by=order
                )
            ]
            found.sort(key=lambda each: each.creation_time, reverse=True)
    ids = {experiment.name: experiment.experiment_id for experiment in found}
    return [
        CampaignLinks(
            campaign,
            charts_link(base_url, ids[campaign]),
            candidates_link(base_url, ids[candidates_experiment(campaign)]),
            comparison_link(base_url, ids[candidates_experiment(campaign)]),
            finals_link(base_url, ids[finals_experiment(campaign)])
            if finals_experiment(campaign) in ids
            else None,
        )
        for campaign in ids
        if candidates_experiment(campaign) in ids
    ]


def _identities(runs_dir: Path) -> Iterator[str]:
    """What tells the campaigns of a runs directory from those of others."""
    for path in sorted(runs_dir.glob(f"*/{FILE_NAME}")):
        with Journal(path, read_only=True) as journal:
            yield journal.identity


def _claim(port: int) -> int:
    """The port itself if it is free, or a free one for 0."""
    with socket.socket() as probe:
        # A server that ended a moment ago does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortInUseError(
                f"port {port} of {HOST} cannot be used ({error.strerror}); give another one with "
                "--port, or --port 0 for any that is free"
            ) from error
        return int(probe.getsockname()[1])


def _command(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--no-serve-artifacts", "--workers", "1"),
        *("--host", HOST, "--port", str(port)),
    ]


def _served(destination: Destination) -> dict[str, str]:
    """What the server reads of the store that it is to show."""
    uri = store_uri(destination.runs_dir) if destination.uri is None else destination.uri
    artifacts = destination.artifacts or artifacts_path(destination.runs_dir).as_uri()
    return {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_DEFAULT_ARTIFACT_ROOT": artifacts}
