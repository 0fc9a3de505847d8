"""Tracking servers and databases that others keep: whatever they do, the same rows in the end.

ACTSEARCH_FULL_TESTS=1 also kills the servers, and mirrors a thousand candidates.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from search.journal.journal import FILE_NAME
from search.tracking import Destination, Mirror, TrackingError, mirror, open_store, replica

from .here import captured
from .store import contents
from .test_kills import FULL
from .tracking_servers import PASSWORD, USER, Fault, PostgresServer, Proxy, TrackingServer

WriteCampaign = Callable[..., Path]

CANDIDATES = 9
SECONDS = 240.0


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    pytest.importorskip("flask_wtf", reason="MLflow's basic authentication is not installed")
    server = TrackingServer(tmp_path_factory.mktemp("server"))
    try:
        server.start()
        server.add_user()
        yield server
    finally:
        server.kill()


@pytest.fixture
def proxy(server: TrackingServer) -> Iterator[Proxy]:
    with Proxy(server.port).running() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing has tests of its own; between attempts a campaign has more time than a test."""
    for name in ("draw_functions", "draw_progress"):
        monkeypatch.setattr(replica, name, lambda drawn, output: output.write_text(str(drawn)))
    monkeypatch.setattr(mirror, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(mirror, "LONGEST_RETRY_SECONDS", 0.5)
    monkeypatch.setattr(mirror, "SILENT_SECONDS", 120.0)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def mirror_to(uri: str | None, folder: Path, **options: Any) -> Mirror:
    destination = Destination(folder.parent, uri, **options)
    return Mirror(
        folder / FILE_NAME, destination=destination, campaign_dir=folder, candidate_runs="all"
    )


def follow(uri: str, folder: Path) -> None:
    """Mirrors as a campaign does, and waits for the end."""
    following = mirror_to(uri, folder)
    following.start()
    status = following.close(timeout_seconds=SECONDS)
    assert (status.events_behind, status.error) == (0, None)


def rows_of(store: Path | str, name: str) -> list[tuple[Any, ...]]:
    """What a store holds of a campaign."""
    return [row for row in contents(store) if str(row[0]).partition("/")[0] == name]


def undisturbed(folder: Path, empty_store: Path, place: Path) -> list[tuple[Any, ...]]:
    """The rows of the same campaign in a store of its own."""
    place.mkdir()
    shutil.copytree(folder, place / folder.name)
    shutil.copy(empty_store, place)
    mirror_to(None, place / folder.name).catch_up()
    return rows_of(place, folder.name)


def refusing(number: int, path: str) -> Fault | None:
    """Who we are is not known at first, then we ask too often, then it fails now and then."""
    for last, status in ((7, 401), (12, None), (19, 403), (27, 429)):
        if number <= last:
            return Fault(status) if status else None
    return Fault(500) if number % 4 == 3 else None


FAULTS: dict[str, Callable[[int, str], Fault | None]] = {
    "calm": lambda number, path: None,
    "refusing": refusing,
    "losing answers": lambda number, path: Fault(503, is_lost=True) if number % 3 == 1 else None,
}
if FULL:
    FAULTS["slow"] = lambda number, path: Fault(seconds=0.5)


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_a_server_does_the_same_rows_are_there_in_the_end(
    proxy: Proxy,
    server: TrackingServer,
    fault: str,
    tmp_path: Path,
    write_campaign_in: WriteCampaign,
    empty_store: Path,
) -> None:
    folder = write_campaign_in(tmp_path, f"campaign-{list(FAULTS).index(fault)}")
    proxy.behaviour = FAULTS[fault]
    follow(proxy.url, folder)
    expected = undisturbed(folder, empty_store, tmp_path / "undisturbed")
    assert len(expected) > 10 * CANDIDATES
    assert rows_of(server.folder, folder.name) == expected
    if fault == "calm":
        about_candidates = [
            path for _, path in proxy.requests if path.endswith(("runs/create", "runs/update"))
        ]
        assert len(about_candidates) <= 2 * CANDIDATES + 5  # and one batch each
        artifacts = [path for method, path in proxy.requests if method == "PUT"]
        assert any(path.endswith("/artifacts/campaign.toml") for path in artifacts)


def test_campaigns_of_one_name_are_told_apart(
    server: TrackingServer,
    tmp_path: Path,
    write_campaign_in: WriteCampaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.add_user("colleague")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for runs_dir, user in ((ours, USER), (theirs, "colleague")):
        runs_dir.mkdir()
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)
        folder = write_campaign_in(runs_dir, "namesake")
        for _ in range(2):
            mirror_to(server.url, folder, prefix="team/").catch_up()
    store = open_store(Destination(ours, server.url))
    found = store.client.search_experiments(filter_string="name LIKE 'team/namesake%'")
    plain, other = sorted(
        (each.name for each in found if not each.name.endswith("/candidates")), key=len
    )
    assert plain == "team/namesake"
    assert other.startswith("team/namesake-")
    for each in found:
        runs = store.client.search_runs([each.experiment_id])
        assert len(runs) == (CANDIDATES if each.name.endswith("/candidates") else 1), each.name


def test_sync_completes_and_the_dashboard_prints_the_servers_links(
    server: TrackingServer, proxy: Proxy, tmp_path: Path, write_campaign_in: WriteCampaign
) -> None:
    folder = write_campaign_in(tmp_path, "told")
    proxy.behaviour = lambda number, path: Fault(500) if number > 15 else None
    with pytest.raises(TrackingError, match=r"cannot be written: .*500.* see that http://127"):
        mirror_to(proxy.url, folder).catch_up()
    there = ("--to", server.url, "--runs-dir", tmp_path)
    for _ in range(2):
        answer = captured("sync", "told", *there)
        assert answer.status == 0, answer.stderr
    store = open_store(Destination(tmp_path, server.url))
    (found,) = store.client.search_experiments(filter_string="name = 'told/candidates'")
    assert len(store.client.search_runs([found.experiment_id])) == 3
    shown = captured("dashboard", "--store", server.url, "--runs-dir", tmp_path)
    assert shown.status == 0, shown.stderr
    assert f"candidates  {server.url}/#/experiments/{found.experiment_id}/runs?" in shown.stdout
    assert PASSWORD not in shown.stdout


def test_a_server_that_refuses_us_is_said_with_the_way_out(
    server: TrackingServer,
    tmp_path: Path,
    write_campaign_in: WriteCampaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    with pytest.raises(TrackingError, match=r"401.*lets you write \(MLFLOW_TRACKING_USERNAME"):
        mirror_to(server.url, write_campaign_in(tmp_path, "refused")).catch_up()


def test_a_database_killed_in_the_middle_has_the_same_rows_in_the_end(
    postgres: PostgresServer,
    tmp_path: Path,
    write_campaign_in: WriteCampaign,
    empty_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mlflow import MlflowClient

    folder = write_campaign_in(tmp_path, "survivor")
    written, log_batch = [], MlflowClient.log_batch

    def kill_in_the_middle(client: Any, run_id: str, **what: Any) -> Any:
        written.append(run_id)
        if len(written) in (4, 10):
            postgres.kill()
        if len(written) in (6, 12):
            postgres.start()
        return log_batch(client, run_id, **what)

    monkeypatch.setattr(MlflowClient, "log_batch", kill_in_the_middle)
    follow(postgres.uri, folder)
    assert len(written) > 12
    expected = undisturbed(folder, empty_store, tmp_path / "undisturbed")
    assert rows_of(postgres.uri, "survivor") == expected
    assert (tmp_path / "mlartifacts" / "survivor").is_dir()


@pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 kills tracking servers")
@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_server_killed_in_the_middle_has_the_same_rows_in_the_end(
    backend: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    write_campaign_in: WriteCampaign,
    empty_store: Path,
) -> None:
    uri = None
    if backend == "postgresql":
        postgres = request.getfixturevalue("postgres")
        uri = postgres.uri.replace(f"{USER}@", f"{USER}:{PASSWORD.replace(' ', '%20')}@")
    (tmp_path / "server").mkdir()
    server = TrackingServer(tmp_path / "server", backend=uri)
    folder = write_campaign_in(tmp_path, f"killed-{backend}")
    try:
        server.start()
        server.add_user()
        with Proxy(server.port).running() as proxy:

            def kill_at(number: int, path: str) -> None:
                if number in (20, 45):
                    server.kill()
                if number in (23, 50):
                    server.start()

            proxy.behaviour = kill_at
            follow(proxy.url, folder)
            assert len(proxy.requests) > 50
        expected = undisturbed(folder, empty_store, tmp_path / "undisturbed")
        assert rows_of(uri or server.folder, folder.name) == expected
    finally:
        server.kill()
