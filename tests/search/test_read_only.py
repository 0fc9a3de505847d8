"""What only reads works where a campaign's folder may not be written; the rest says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search.journal.journal import FILE_NAME, Journal

from .conftest import WriteCampaign
from .read_only import read_only
from .test_report import add_finals

SEARCH = (sys.executable, "-m", "search")

Verb = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, write_campaign_in: WriteCampaign) -> Path:
    """A runs directory with a campaign whose finals have ended."""
    runs = tmp_path_factory.mktemp("archive")
    add_finals(write_campaign_in(runs))
    return runs


@pytest.fixture
def verb(archive: Path, tmp_path: Path) -> Iterator[Verb]:
    """Runs a verb on the campaign, with the archive mounted so that nothing can be written."""
    root = str(Path(__file__).parents[2])
    before = {path: path.stat().st_mtime_ns for path in archive.rglob("*")}
    with read_only(archive) as words:

        def run(name: str, *options: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*words, *SEARCH, name, "demo", *options, "--runs-dir", str(archive)],
                cwd=tmp_path,
                env=os.environ | {"PYTHONPATH": root},
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )

        yield run
    assert {path: path.stat().st_mtime_ns for path in archive.rglob("*")} == before


def test_what_only_reads_works(verb: Verb, tmp_path: Path) -> None:
    shown = verb("leaderboard")
    assert shown.returncode == 0, shown.stderr
    assert "Finals: " in shown.stdout
    exported = verb("export", "--to", "numpy", "--output", str(tmp_path / "f.py"))
    assert exported.returncode == 0, exported.stderr
    assert (tmp_path / "f.py").is_file()
    held = verb("finals", "--json")
    assert held.returncode == 0, held.stderr
    assert json.loads(held.stdout)["number"] == 1


def test_a_report_and_a_record_are_written_elsewhere(verb: Verb, tmp_path: Path) -> None:
    reported = verb("report", "--output", str(tmp_path / "report"))
    assert reported.returncode == 0, reported.stderr
    assert "which parts matter is not known of all" in reported.stderr
    assert (tmp_path / "report" / "index.html").is_file()
    recorded = verb("record", "--records-dir", str(tmp_path / "records"))
    assert recorded.returncode == 0, recorded.stderr
    kept = Path(recorded.stdout.strip())
    assert {"README.md", "report"} <= {path.name for path in kept.iterdir()}
    assert (kept / "report" / "index.html").is_file()


@pytest.mark.parametrize("words", [("report", "--no-measure"), ("finals", "--top", "1")])
def test_what_writes_says_why_it_cannot(verb: Verb, words: tuple[str, ...]) -> None:
    refused = verb(*words)
    assert refused.returncode == 2, refused.stderr
    why = "Read-only file system; what only reads works there" if os.geteuid() == 0 else "denied"
    assert why in refused.stderr
    assert "make room" not in refused.stderr


def test_the_journal_is_as_it_was(archive: Path) -> None:
    with Journal(archive / "demo" / FILE_NAME) as journal:
        assert journal.get("campaign", "settings") is not None
