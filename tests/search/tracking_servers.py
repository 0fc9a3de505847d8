"""Real tracking servers and databases for tests, and a proxy between that misbehaves on demand."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

START_SECONDS: Final = 180.0
USER: Final = "researcher"
PASSWORD: Final = "correct horse battery"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TrackingServer:
    """`mlflow server` with basic authentication, which can be killed and started again."""

    def __init__(self, folder: Path, *, backend: str | None = None) -> None:
        """Prepares a server.

        Args:
            folder: For its database, users and artifacts.
            backend: Address of another database than an SQLite file in the folder.
        """
        self.folder, self.port = folder, free_port()
        self.backend = backend or f"sqlite:///{folder}/mlflow.db"
        self._process: subprocess.Popen[bytes] | None = None
        settings = folder / "auth.ini"
        settings.write_text(
            "[mlflow]\ndefault_permission = READ\nadmin_username = admin\n"
            f"admin_password = {PASSWORD}\ndatabase_uri = sqlite:///{folder}/users.db\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
            "auth_cache_ttl_seconds = 600\n"
        )
        self._environment = {
            **os.environ,
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_BACKEND_STORE_URI": self.backend,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"),
            *("--artifacts-destination", str(self.folder / "artifacts"), "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(self.port)),
        ]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
            )
        latest = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > latest:
                raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
            time.sleep(0.2)

    def kill(self) -> None:
        """As the loss of its machine would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def add_user(self, name: str = USER) -> None:
        """A user of the same password, who may make experiments and read those of others."""
        body = f'{{"username": "{name}", "password": "{PASSWORD}"}}'.encode()
        token = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/api/2.0/mlflow/users/create",
            body,
            {"Authorization": f"Basic {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            return error.code == 401  # it asks who we are, so it is there
        except OSError:
            return False


@dataclass(frozen=True)
class Fault:
    """What becomes of a request.

    Attributes:
        status: Answered; None for what the server answers.
        is_lost: Whether the server gets it all the same, so that the answer alone is lost.
        seconds: Until it is passed on.
    """

    status: int | None = None
    is_lost: bool = False
    seconds: float = 0.0


Behaviour = Callable[[int, str], Fault | None]
"""What becomes of the request of that number, counted from 1, for that path."""


@dataclass
class Proxy:
    """Passes requests on to a server, counts them, and misbehaves.

    Attributes:
        upstream: Port of the server.
        behaviour: Decides on each request.
        requests: Method and path of each, in order.
    """

    upstream: int
    behaviour: Behaviour = lambda number, path: None
    requests: list[tuple[str, str]] = field(default_factory=list)
    _server: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        proxy, counting = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                with counting:
                    proxy.requests.append((self.command, path))
                    number = len(proxy.requests)
                fault = proxy.behaviour(number, path) or Fault()
                time.sleep(fault.seconds)
                if fault.status is None or fault.is_lost:
                    answer = self._passed_on(body)
                    if not fault.is_lost:
                        self._answer(*answer)
                        return
                self._answer(fault.status or 500, {"Retry-After": "1"}, b'{"message": "no"}')

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

            def _passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
                connection = HTTPConnection("127.0.0.1", proxy.upstream, timeout=60)
                try:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    answer = connection.getresponse()
                    kept = {"Content-Type": answer.getheader("Content-Type") or "text/plain"}
                    return answer.status, kept, answer.read()
                except OSError:
                    return 502, {}, b"bad gateway"
                finally:
                    connection.close()

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                with suppress(OSError):
                    self.send_response(status)
                    for key, value in headers.items():
                        self.send_header(key, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


class PostgresServer:
    """A PostgreSQL server of our own, as Debian's package installs the programs."""

    def __init__(self) -> None:
        self._programs = _postgres_programs()
        # Below /tmp itself: the user that the server runs as may not look into our folders.
        self.folder = Path(tempfile.mkdtemp(prefix="actsearch-postgres-"))
        self.port = free_port()
        # It refuses to run as root.
        self._as = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

    @property
    def uri(self) -> str:
        """Without the password, which PGPASSWORD holds."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        data = self.folder / "data"
        if not data.exists():
            secret = self.folder / "secret"
            secret.write_text(PASSWORD)
            if self._as:
                for path in (self.folder, secret):
                    shutil.chown(path, "postgres", "postgres")
            self._do("initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = self.folder / "log"
        self._do("pg_ctl", "-D", data, "-w", "-t", "60", "-l", log, "-o", options, "start")

    def kill(self) -> None:
        """As the loss of its machine would."""
        self._do("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")

    def close(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _do(self, program: str, *arguments: str | Path) -> None:
        command = [*self._as, str(self._programs / program), *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, timeout=120)


def _postgres_programs() -> Path:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not folders:
        pytest.skip("no PostgreSQL here; Debian's package `postgresql` installs it")
    if os.getuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    return folders[-1].parent
