"""Signals to a running campaign, and a disk without room."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.journal import FILE_NAME, Journal

from .here import actsearch
from .processes import start, workers_of
from .test_mutations import CAMPAIGN

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


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A long campaign, mirrored to MLflow, that has begun to evaluate."""
    campaign_file = tmp_path / "long.toml"
    campaign_file.write_text(LONG)
    process = start("launch", campaign_file, "--runs-dir", tmp_path, "--workers", "2")
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
    assert "(it was not done after 0 s)" in stderr  # the mirror is not waited for
    assert "stopping after the running batch; once more stops now" in stderr
    assert "stopped at once, all but the running batch is kept" in stderr
    assert "It goes on with: actsearch launch" in stderr
    assert "Traceback" not in stderr
    assert evaluations(tmp_path) >= before
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_sigterm_finishes_the_batch_and_keeps_all(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    running.send_signal(signal.SIGTERM)
    stdout, stderr = running.communicate(timeout=120)
    assert running.returncode == 130, stderr
    assert "The campaign ended: stopped on request" in stdout
    assert "events behind" not in stderr
    assert evaluations(tmp_path) > 0


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
