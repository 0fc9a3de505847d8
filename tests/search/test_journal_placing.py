"""A journal that is kept elsewhere than its campaign's folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from evaluators.reading.file_locks import locked
from search.journal.journal import FILE_NAME

from .here import Answer, actsearch

CAMPAIGN = """
task = "digits-mlp"
search = { population = 6 }
scoring = { rungs = [{ steps = 10 }] }
stop = { generations = 1 }
tracking = { mlflow = false }
"""


def launch(folder: Path, *options: str | Path) -> Answer:
    file = folder / "small.toml"
    file.write_text(CAMPAIGN)
    return actsearch("launch", file, "--runs-dir", folder / "runs", *options)


def test_a_journal_may_be_elsewhere_than_its_campaign(tmp_path: Path) -> None:
    local = tmp_path / "local"
    assert launch(tmp_path, "--journal-dir", local).status == 0
    path = tmp_path / "runs" / "small" / FILE_NAME
    (kept,) = local.glob(f"small-*/{FILE_NAME}")
    assert path.is_symlink()
    assert path.resolve() == kept
    assert not list(path.parent.glob("*.sqlite-*")), "SQLite writes beside the journal alone"
    assert not (path.parent / "lock").exists()

    size = kept.stat().st_size
    again = launch(tmp_path, "--set", "stop.generations=2")  # it needs no option any more
    assert again.status == 0
    assert f"evaluations already done, by {kept}" in again.stderr
    assert kept.stat().st_size > size
    shown = actsearch("leaderboard", "small", "--runs-dir", tmp_path / "runs")
    assert shown.status == 0
    assert "relu" in shown.stdout

    with locked(kept.parent / "lock", wait=False):
        busy = launch(tmp_path)
    assert busy.is_clear_error
    assert "is running in another process" in busy.stderr


def test_campaigns_of_one_name_have_a_journal_each(tmp_path: Path) -> None:
    for user in ("one", "other"):
        (tmp_path / user).mkdir()
        assert launch(tmp_path / user, "--journal-dir", tmp_path / "local").status == 0
    assert len(list((tmp_path / "local").glob(f"small-*/{FILE_NAME}"))) == 2


def test_a_journal_that_cannot_be_seen_is_named(tmp_path: Path) -> None:
    assert launch(tmp_path, "--journal-dir", tmp_path / "local").status == 0
    shutil.rmtree(tmp_path / "local")
    shown = actsearch("leaderboard", "small", "--runs-dir", tmp_path / "runs")
    assert shown.is_clear_error
    assert f"which is kept at {tmp_path / 'local'}" in shown.stderr
