"""Every name that the system allows a runs directory works, or is refused at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.library.records import record
from search.report import write_report
from search.standings.leaderboard import find_campaign, leaderboard
from search.tracking import Destination, Mirror, TrackingError, check_place

from .conftest import WriteCampaign
from .store import artifacts, contents

EVERYTHING = "a b?mode=memory&x=1#2 per%20cent%;'\"[ü]\\\n:memory:"
ODD = [EVERYTHING, ":memory:", "new\nline", "mlflow.db", "file:x", "~", "*", "-o"]
NOT_UTF_8 = os.fsdecode(b"r\xfcns")


def begun(runs_dir: Path, write_campaign_in: WriteCampaign) -> Path:
    """The folder of a campaign in a new runs directory."""
    runs_dir.mkdir()
    return write_campaign_in(runs_dir)


@pytest.mark.parametrize("name", [*ODD, NOT_UTF_8], ids=repr)
def test_a_journal_and_its_readers_work_anywhere(
    tmp_path: Path, write_campaign_in: WriteCampaign, name: str
) -> None:
    folder = begun(tmp_path / name, write_campaign_in)
    found = find_campaign("demo", tmp_path / name)
    assert found == folder
    with Journal(found / FILE_NAME, read_only=True) as journal:
        assert len(leaderboard(read_history(journal))) > 5
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", [EVERYTHING], ids=["everything"])
def test_the_mlflow_store_is_where_it_should_be(
    tmp_path: Path, write_campaign_in: WriteCampaign, name: str
) -> None:
    folder = begun(tmp_path / name, write_campaign_in)
    Mirror(
        folder / FILE_NAME, destination=Destination(tmp_path / name), campaign_dir=folder
    ).catch_up()
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is written beside it"
    assert any(row[:2] == ("demo", "demo") for row in contents(tmp_path / name))
    assert "demo/campaign.toml" in {
        re.sub("/artifacts", "", path) for path in artifacts(tmp_path / name)
    }


def test_a_report_and_a_record_work_where_the_name_is_no_text(
    tmp_path: Path, write_campaign_in: WriteCampaign
) -> None:
    folder = begun(tmp_path / NOT_UTF_8, write_campaign_in)
    write_report(folder)
    kept = record(folder, tmp_path / NOT_UTF_8 / "records")
    assert (kept / "README.md").is_file()
    odd = folder.rename(folder.with_name(NOT_UTF_8))
    assert r"r\udcfcns" in (record(odd, tmp_path / "records") / "README.md").read_text("utf-8")


def test_what_mlflow_cannot_take_is_refused_at_once(tmp_path: Path) -> None:
    check_place(tmp_path / EVERYTHING)
    with pytest.raises(TrackingError, match=r"not UTF-8; choose another .*mlflow=false"):
        check_place(tmp_path / NOT_UTF_8)
    (tmp_path / "mine.toml").write_text('task = "digits-mlp"')
    done = subprocess.run(
        [sys.executable, "-m", "search", "launch", "mine.toml", "--runs-dir", NOT_UTF_8],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert r"r\udcfcns" in done.stderr
    assert not (tmp_path / NOT_UTF_8).exists()
