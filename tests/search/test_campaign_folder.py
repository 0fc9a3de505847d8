"""One runs directory and one name for a campaign, however its folder is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from search.journal.campaign_folder import is_folder, located
from search.journal.journal import FILE_NAME, Journal
from search.standings.leaderboard import CampaignNotFoundError, find_campaign


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A runs directory with a campaign, and a second one that is a link to elsewhere."""
    for folder in (tmp_path / "runs" / "t", tmp_path / "disk" / "large"):
        folder.mkdir(parents=True)
        Journal(folder / FILE_NAME).close()
    (tmp_path / "runs" / "linked").symlink_to(tmp_path / "disk" / "large")
    (tmp_path / "short").symlink_to(tmp_path / "runs")
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("shell", "campaign", "name"),
    [
        (".", "runs/t", "t"),
        (".", "runs/t/", "t"),
        (".", "runs/../runs/t/.", "t"),
        (".", "short/t", "t"),
        ("runs", "t", "t"),
        ("runs", "./t", "t"),
        ("runs/t", ".", "t"),
        ("runs/t", "../t", "t"),
        ("short/t", ".", "t"),
        ("disk", "../runs/t", "t"),
        (".", "runs/linked", "linked"),
        (".", "short/linked", "linked"),
        ("runs", "linked", "linked"),
        ("runs/linked", ".", "linked"),
        ("short/linked", ".", "linked"),
    ],
)
def test_every_way_leads_to_one_pair(
    runs: Path, shell: str, campaign: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.parent / shell
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PWD", str(folder))  # as a shell leaves it
    found = find_campaign(campaign, Path("runs"))
    assert (found.parent, found.name) == (runs, name)
    assert located(found) == found


def test_a_stale_or_absent_shell_folder_is_not_believed(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs / "t")
    for stale in ("/", "/nowhere", "runs", ""):
        monkeypatch.setenv("PWD", stale)
        assert located(Path()) == runs / "t"
    monkeypatch.delenv("PWD")
    assert located(Path()) == runs / "t"
    assert located(Path("..")) == runs


@pytest.mark.parametrize("name", ["x" * 256, "x" * 5000, "a/" + "b" * 300, "c\0d"])
def test_what_no_folder_can_be_called_is_no_campaign(runs: Path, name: str) -> None:
    assert not is_folder(name)
    with pytest.raises(CampaignNotFoundError, match=r"no campaign .*campaigns there: ") as caught:
        find_campaign(name, runs)
    assert len(str(caught.value)) < 400 + len(str(runs))


def test_a_folder_that_may_not_be_searched_is_none(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may search every folder")
    (tmp_path / "closed" / "within").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    assert not is_folder(str(tmp_path / "closed" / "within"))
    (tmp_path / "closed").chmod(0o700)
