"""How people find campaigns, and commands: by name, by folder, in lists, whatever lies there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search.cli.options import INTERRUPTED
from search.executors import Interrupted
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.standings.leaderboard import leaderboard

from .conftest import WriteCampaign
from .here import SMALL, SimulatedPool, actsearch


def test_a_campaign_goes_on_by_its_name_and_by_the_copy_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    runs = tmp_path / "runs"
    answers = [
        actsearch("launch", source, *more, "--runs-dir", runs)
        for source, *more in [
            (tmp_path / "small.toml", "--set", "search.population=6"),
            ("small", "--set", "stop.generations=2"),
            (runs / "small" / "campaign.toml", "--set", "stop.generations=3"),
        ]
    ]
    assert [answer.status for answer in answers] == [0, 0, 0], answers
    assert [path.name for path in runs.iterdir() if path.is_dir()] == ["small"]
    with Journal(runs / "small" / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    assert len(history.generations) == 3
    assert history.launch is not None
    assert history.launch.settings["search"]["population"] == 6
    missing = actsearch("launch", "smal", "--runs-dir", runs)
    assert missing.is_clear_error
    assert "did you mean 'small'?" in missing.stderr


def test_a_campaign_that_has_just_begun_or_lost_its_journal_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    assert actsearch("launch", tmp_path / "small.toml", "--runs-dir", tmp_path).status == 0
    for name in ("young", "gone"):
        (tmp_path / name).mkdir()
    (tmp_path / "young" / FILE_NAME).touch()
    (tmp_path / "gone" / FILE_NAME).symlink_to(tmp_path / "elsewhere")
    rows = json.loads(actsearch("campaigns", "--json", "--runs-dir", tmp_path).stdout)
    states = {row["campaign"]: row["state"] for row in rows}
    assert (states["small"], states["young"]) == ("ended", "just begun")
    assert states["gone"].startswith("there is no journal at")


def test_what_a_search_cannot_start_from_leaves_no_campaign_behind(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(f'{SMALL}search.start_from = ["sigmiod(x)"]\n')
    answer = actsearch("launch", tmp_path / "small.toml", "--runs-dir", tmp_path)
    assert answer.is_clear_error
    assert "did you mean 'sigmoid'?" in answer.stderr
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize("width", ["60", "200"])
def test_no_summary_of_a_command_is_cut(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    summaries = actsearch("--help").stdout.partition("Commands:")[2]
    assert "launch" in summaries
    assert "..." not in summaries


def test_a_function_for_each_layer_is_said_to_be_one() -> None:
    answer = actsearch("describe", "[relu, tanh]")
    assert answer.is_clear_error
    assert "a list is a function for each layer; give one of them" in answer.stderr


def test_a_published_function_that_is_found_has_its_name(write_campaign: WriteCampaign) -> None:
    with Journal(write_campaign() / FILE_NAME, read_only=True) as journal:
        names = {row.expression: row.name for row in leaderboard(read_history(journal))}
    assert names["x * erf(x)"] == "x_erf"
    assert names["sin(x) + relu(x)"] is None


def test_a_folder_that_cannot_be_made_is_named_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    assert actsearch("launch", tmp_path / "small.toml", "--runs-dir", tmp_path).status == 0
    output = tmp_path / "small.toml" / "report"
    answer = actsearch("report", "small", "-o", output, "--runs-dir", tmp_path)
    assert answer.is_clear_error
    assert "training" not in answer.stderr


def test_finals_that_go_on_keep_the_limit_that_they_were_asked_with(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    assert actsearch("launch", tmp_path / "small.toml", "--runs-dir", tmp_path).status == 0
    limits: list[float] = []

    class Pool(SimulatedPool):
        def __init__(self, workload: Any, **given: Any) -> None:
            super().__init__(workload, **given)
            limits.append(given["timeout_seconds"])

        def evaluate(self, *batch: Any, **more: Any) -> Any:
            if len(limits) == 1:  # as after a signal
                raise Interrupted
            return super().evaluate(*batch, **more)

    words = ("finals", "small", "--runs-dir", tmp_path)
    few = ("--seeds", "2", "--set", "timeout_seconds=5000", "--set", "top=1")
    assert actsearch(*words, *few, pool=Pool).status == INTERRUPTED
    assert actsearch(*words, pool=Pool).status == 0
    assert len(limits) > 1
    assert set(limits) == {5000.0}
