"""Whoever looks on may go, and what was closed from the start stays so: no command ends by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from search.journal.journal import FILE_NAME, Journal

from .here import actsearch
from .test_mutations import CAMPAIGN

ROOT = Path(__file__).parents[2]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a line of bash, in which `actsearch` simulates its training."""
    command = f'actsearch() {{ "{sys.executable}" -m tests.search.simulated "$@"; }}'
    return subprocess.run(
        ["bash", "-c", f"{command}\n{line}", "bash", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def ending_of(folder: Path) -> list[str]:
    with Journal(folder / "whole" / FILE_NAME, read_only=True) as journal:
        return [event.payload["reason"] for event in journal.events("finished")]


@pytest.mark.parametrize(
    "redirected",
    ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>&1 | head -1", "2>&1 | true", "2>/dev/full"],
)
def test_a_launch_that_nobody_follows_comes_to_its_end(tmp_path: Path, redirected: str) -> None:
    (tmp_path / "whole.toml").write_text(CAMPAIGN)
    launch = f'actsearch launch "$1/whole.toml" --runs-dir "$1" {redirected}'
    result = shell(f'{launch}; exit "${{PIPESTATUS[0]}}"', tmp_path)
    assert result.returncode == 0, result
    assert "Error" not in result.stderr
    assert ending_of(tmp_path) == ["2 generations are done"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "whole.toml").write_text(CAMPAIGN)
    assert actsearch("launch", folder / "whole.toml", "--runs-dir", folder).status == 0
    return folder


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("leaderboard whole --runs-dir $1 | head -2", 2),
        ("leaderboard whole --json --runs-dir $1 | head -1", 1),
        ("leaderboard whole --runs-dir $1 | true", 0),
        ("grammar show core | true", 0),
        ("evaluate rlu 2>&1 | true", 0),
        ("--help | head -1", 1),
    ],
)
def test_a_verb_whose_reader_goes_ends_quietly(finished: Path, command: str, lines: int) -> None:
    result = shell(f'actsearch {command}; exit "${{PIPESTATUS[0]}}"', finished)
    assert (result.stderr, result.returncode) == ("", 2 if "rlu" in command else 0)
    assert len(result.stdout.splitlines()) == lines


@pytest.mark.parametrize(
    "command", ["leaderboard whole --json --runs-dir $1", "grammar list", "describe relu --json"]
)
def test_a_result_that_cannot_be_written_whole_is_an_error(finished: Path, command: str) -> None:
    result = shell(f"actsearch {command} > /dev/full", finished)
    assert result.returncode == 2
    assert "cannot be written: No space left on device" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_a_closed_stream_takes_no_file_of_the_campaign(tmp_path: Path) -> None:
    """Else what a library says would be written into the journal."""
    script = (
        "import os; from search.cli.streams import lasting_streams\n"
        "with lasting_streams(), open(os.devnull) as first: os._exit(10 + first.fileno())"
    )
    result = shell(f"'{sys.executable}' -c '{script}' <&- >&- 2>&-", tmp_path)
    assert result.returncode > 10 + 2
