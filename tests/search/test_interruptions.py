"""Signals to a running campaign, and a disk without room."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from search.journal.journal import FILE_NAME, Journal
from search.launching.signals import BATCH_SECONDS, MIRROR_SECONDS
from search.tracking import database_path

from .here import actsearch
from .processes import start, workers_of
from .test_mutations import CAMPAIGN

KILLED_AFTER: Final = 30.0  # seconds after SIGTERM or SIGHUP, as whoever sends them does it

LONG = """
name = "long"
task = "digits-mlp"
search.population = 8
scoring = { rungs = [{ steps = 2000, seeds = 2 }], batch = 2 }
stop.generations = 1000
"""


def evaluations(runs_dir: Path) -> int:
    try:
        with Journal(runs_dir / "long" / FILE_NAME, read_only=True) as journal:
            return sum(1 for _ in journal.events("evaluation"))
    except FileNotFoundError:
        return 0


def long_campaign(
    runs_dir: Path, *options: str, before: Sequence[str] = (), streams: int | None = None
) -> subprocess.Popen[str]:
    campaign_file = runs_dir / "long.toml"
    campaign_file.write_text(LONG)
    command = ("launch", campaign_file, "--runs-dir", runs_dir, "--workers", "2", *options)
    return start(*command, before=before, streams=streams)


@pytest.fixture
def running(tmp_path: Path, empty_store: Path) -> Iterator[subprocess.Popen[str]]:
    """A long campaign, mirrored to MLflow, that has begun to evaluate."""
    shutil.copy(empty_store, tmp_path)
    process = long_campaign(tmp_path)
    while process.poll() is None and not evaluations(tmp_path):
        time.sleep(0.05)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_stops_at_once(
    running: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    workers = workers_of(running.pid)
    before = evaluations(tmp_path)
    os.killpg(running.pid, number) if number == signal.SIGINT else running.send_signal(number)
    time.sleep(0.3)
    running.send_signal(number)
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 130, stderr
    assert "(timed out after 0 s)" in stderr  # the mirror is not waited for
    assert "stopping after the running batch; once more stops now" in stderr
    assert "stopped at once, all but the running batch is kept" in stderr
    assert "It goes on with: actsearch launch" in stderr
    assert "Traceback" not in stderr
    assert evaluations(tmp_path) >= before
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def status_in_mlflow(runs_dir: Path) -> str | None:
    """Of the campaign's run, None if there is none yet."""
    database = f"file:{database_path(runs_dir)}?mode=ro"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(database, uri=True)) as store:
        for (status,) in store.execute("SELECT status FROM runs WHERE name = 'long'"):
            return str(status)
    return None


def until_mlflow_shows(process: subprocess.Popen[str], runs_dir: Path) -> None:
    while process.poll() is None and status_in_mlflow(runs_dir) != "RUNNING":
        time.sleep(0.05)


def to_all(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """As a terminal does that is closed, and many a scheduler."""
    os.killpg(process.pid, number)


@pytest.mark.parametrize(
    ("number", "send"),
    [
        (signal.SIGTERM, subprocess.Popen.send_signal),
        (signal.SIGTERM, to_all),
        (signal.SIGHUP, subprocess.Popen.send_signal),
        (signal.SIGHUP, to_all),
    ],
    ids=["SIGTERM", "SIGTERM to all", "SIGHUP", "SIGHUP to all"],
)
def test_sigterm_and_sighup_finish_the_batch_and_keep_all(
    tmp_path: Path,
    empty_store: Path,
    number: signal.Signals,
    send: Callable[[subprocess.Popen[str], signal.Signals], None],
) -> None:
    shutil.copy(empty_store, tmp_path)
    # Batches that end within the notice on a busy machine too.
    short = ("--set", "scoring.rungs=[{steps = 100}]", "--set", "scoring.batch=1")
    process = long_campaign(tmp_path, *short)
    try:
        until_mlflow_shows(process, tmp_path)
        before = evaluations(tmp_path)
        send(process, number)
        stdout, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    assert "The campaign ended: stopped on request" in stdout
    assert "events behind" not in stderr
    assert evaluations(tmp_path) >= before
    assert status_in_mlflow(tmp_path) == "KILLED"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_batch_that_outlasts_the_notice_is_given_up(
    tmp_path: Path, empty_store: Path, number: signal.Signals
) -> None:
    """SIGKILL follows, and the batch would take far longer."""
    assert BATCH_SECONDS < MIRROR_SECONDS < KILLED_AFTER
    shutil.copy(empty_store, tmp_path)
    process = long_campaign(tmp_path, "--set", "scoring.rungs=[{steps = 900_000}]")
    killing = threading.Timer(KILLED_AFTER, process.kill)
    try:
        until_mlflow_shows(process, tmp_path)
        to_all(process, number)
        killing.start()
        _, stderr = process.communicate(timeout=240)
    finally:
        killing.cancel()
        process.kill()
    assert process.returncode == 130, stderr
    assert "stopping after the running batch" in stderr
    assert "stopped at once, all but the running batch is kept" in stderr
    assert "Traceback" not in stderr
    assert status_in_mlflow(tmp_path) == "KILLED"


def test_a_terminal_that_is_closed_ends_a_campaign_in_order(
    tmp_path: Path, empty_store: Path
) -> None:
    shutil.copy(empty_store, tmp_path)
    ours, theirs = pty.openpty()
    # setsid --ctty: the terminal of a session, which hangs up when it is closed.
    process = long_campaign(tmp_path, before=("setsid", "--ctty", "--wait"), streams=theirs)
    os.close(theirs)
    reading = threading.Thread(target=read_until_closed, args=[ours, closing_now := []])
    reading.start()
    until_mlflow_shows(process, tmp_path)
    closing_now.append(True)
    reading.join()
    killing = threading.Timer(KILLED_AFTER, process.kill)
    os.close(ours)
    killing.start()
    try:
        process.wait(timeout=240)
    finally:
        killing.cancel()
        process.kill()
    assert process.returncode == 130
    assert evaluations(tmp_path) > 0
    assert status_in_mlflow(tmp_path) == "KILLED"
    with Journal(tmp_path / "long" / FILE_NAME, read_only=True) as journal:
        assert [e.payload["state"] for e in journal.events("work")][-1] == "ended"


def read_until_closed(terminal: int, closing_now: list[bool]) -> None:
    """Keeps a terminal's window empty, as whoever looks at it does."""
    while not closing_now:
        if select.select([terminal], [], [], 0.1)[0]:
            os.read(terminal, 65_536)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with room for the beginning of a campaign."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=320k", "tmpfs", str(disk)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small file system to fill")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_stops_the_campaign_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    campaign_file = tmp_path / "whole.toml"
    campaign_file.write_text(CAMPAIGN)
    command = ["launch", campaign_file, "--set", "stop.generations=12", "--runs-dir"]
    whole = actsearch(*command, tmp_path / "runs")
    assert whole.status == 0, whole

    stopped = actsearch(*command, small_disk)
    assert stopped.is_clear_error, stopped
    assert "what" in stopped.stderr
    assert "room" in stopped.stderr
    journal = small_disk / "whole" / FILE_NAME
    with Journal(journal, read_only=True) as reader:
        kept = [(e.kind, e.key, e.payload) for e in reader.events() if e.kind != "work"]
    assert kept

    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    resumed = actsearch(*command, small_disk)
    assert resumed.status == 0, resumed
    with (
        Journal(journal, read_only=True) as reader,
        Journal(tmp_path / "runs" / "whole" / FILE_NAME, read_only=True) as other,
    ):
        events, others = (
            [(e.kind, e.key, e.payload) for e in each.events() if e.kind != "work"]
            for each in (reader, other)
        )
        assert events == others
    assert events[: len(kept)] == kept
    lines = "Leaderboard of", "The campaign ended", "The best discovered"
    for begun in lines:
        assert begun in resumed.stdout
