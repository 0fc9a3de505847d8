"""`actsearch finals` as a user runs it: real workers, a real store, a real kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from grammars import BASELINES, expression_id, parse
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.settings import Settings
from search.standings.leaderboard import standings

CAMPAIGN = """
seed = 5
task = "digits-mlp"

[search]
population = 6

[scoring]
rungs = [{ steps = 40, seeds = 1 }, { steps = 80, seeds = 2 }]
reduction_factor = 3.0
batch = 8

[stop]
generations = 2

[finals]
top = 2
seeds = 3
max_seeds = 3
transfer = ["mnist1d-mlp"]
transfer_seeds = 2
"""

AT_RANDOM = """
[search]
strategy = "random"
"""

COMMAND = [sys.executable, "-m", "search"]


def actsearch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )


def scores(folder: Path) -> dict[str, Any]:
    """What the finals came to, without times."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return {
            event.key: event.payload
            for event in journal.events("finals_plan", "finals_look", "finals_score", "finals_end")
        }


@pytest.fixture(scope="module")
def campaign_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("campaigns") / "small.toml"
    path.write_text(CAMPAIGN)
    return path


@pytest.fixture(scope="module")
def launched(campaign_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs directory with a campaign and its finals."""
    runs = tmp_path_factory.mktemp("runs")
    result = actsearch("launch", campaign_file, "--runs-dir", runs)
    assert result.returncode == 0, result.stderr
    assert "the test set of digits is opened, time 1 in this campaign" in result.stderr
    return runs


def test_a_campaign_with_finals_ends_with_them(launched: Path) -> None:
    document = json.loads((launched / "small" / "finals.json").read_text())
    assert [card["task"] for card in document["cards"]] == ["digits-mlp", "mnist1d-mlp"]
    assert {card["state"] for card in document["cards"]} == {"scored"}
    assert document["ended"] == "all stages are held and scored"
    assert len(document["cards"][0]["functions"]) == 2 + len(BASELINES)
    assert not (launched / "small" / "finals-states").exists()


def test_finals_are_reported_for_people_and_for_programs(launched: Path) -> None:
    shown = actsearch("finals", "small", "--runs-dir", launched)
    assert shown.returncode == 0, shown.stderr
    assert "Finals 1 of small: digits-mlp, 80 steps, 3 seeds" in shown.stdout
    assert "Where it holds" in shown.stdout
    opened = "The test sets of digits and mnist1d were opened once each."
    assert opened in " ".join(shown.stdout.split())
    printed = actsearch("finals", "small", "--json", "--runs-dir", launched)
    document = json.loads(printed.stdout)
    written = json.loads((launched / "small" / "finals.json").read_text())
    practice = document.pop("rival_practice")
    assert document == written
    assert practice["test"]["functions"] == 2
    assert practice["search"][0]["claimed_points"] == pytest.approx(
        practice["search"][0]["percent"] - practice["search"][0]["relu_percent"]
    )


def test_the_leaderboard_says_what_may_be_claimed(launched: Path) -> None:
    shown = " ".join(actsearch("leaderboard", "small", "--runs-dir", launched).stdout.split())
    claim = json.loads((launched / "small" / "finals.json").read_text())["claim"]
    assert f"Finals: {claim} The search considered " in shown
    assert "The test sets of digits and mnist1d were opened once each." in shown


def test_a_launch_leaves_finals_that_were_held_later_the_last(
    campaign_file: Path, launched: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    shutil.copytree(launched / "small", folder)
    more = actsearch("finals", "small", "--seeds", "2", "--tasks", "", "--runs-dir", tmp_path)
    assert more.returncode == 0, more.stderr
    before = scores(folder)
    assert actsearch("launch", campaign_file, "--runs-dir", tmp_path).returncode == 0
    assert scores(folder) == before
    assert json.loads((folder / "finals.json").read_text())["number"] == 2


def test_the_best_of_another_campaign_is_a_rival(launched: Path, tmp_path: Path) -> None:
    shutil.copytree(launched / "small", tmp_path / "small")
    control = tmp_path / "control.toml"
    control.write_text(CAMPAIGN.partition("[finals]")[0].replace("[search]", AT_RANDOM))
    wanted = ["finals", "small", "--seeds", "2", "--tasks", "", "--runs-dir", tmp_path]
    wanted += ["--set", 'against=["control"]']
    early = actsearch(*wanted)
    assert early.returncode == 2
    assert "'control' is neither a function nor" in early.stderr
    result = actsearch("launch", control, "--runs-dir", tmp_path)
    assert result.returncode == 0, result.stderr
    held = actsearch(*wanted)
    assert held.returncode == 0, held.stderr
    with Journal(tmp_path / "control" / FILE_NAME, read_only=True) as journal:
        ranked = standings(read_history(journal))
    found = [each.candidate.id for each in ranked if each.candidate.origin == "discovered"]
    with Journal(tmp_path / "small" / FILE_NAME, read_only=True) as journal:
        plan = read_history(journal).finals.last_plan
    assert plan is not None
    assert list(plan.chosen.values()) == ["what control has found"]
    assert plan.rivals[-1] in found[:5]
    assert "is there as the best of what control has found" in plan.rule


def test_killed_finals_go_on_to_the_same_end(
    campaign_file: Path, launched: Path, tmp_path: Path
) -> None:
    command = [*COMMAND, "launch", str(campaign_file), "--runs-dir", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    journal = tmp_path / "small" / FILE_NAME
    deadline = time.monotonic() + 240.0
    while time.monotonic() < deadline and runs_in(journal) == 0:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = runs_in(journal)
    assert before > 0
    assert not (tmp_path / "small" / "finals.json").exists()
    assert actsearch("finals", "small", "--runs-dir", tmp_path).returncode == 0
    assert scores(tmp_path / "small") == scores(launched / "small")


def runs_in(journal: Path) -> int:
    if not journal.is_file():
        return 0
    try:
        with Journal(journal, read_only=True) as opened:
            return sum(1 for _ in opened.events("finals_run"))
    except FileNotFoundError:
        return 0


def test_a_function_of_ones_own_choice_enters_in_place_of_the_best(
    launched: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    shutil.copytree(launched / "small", folder)
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        everything = standings(read_history(journal))
    third = [each.candidate for each in everything if each.candidate.origin == "discovered"][2]
    replicates = actsearch("replicate", "small", "--show", "--json", "--runs-dir", tmp_path)

    options = ["--seeds", "2", "--tasks", "", "--runs-dir", tmp_path]
    held = actsearch("finals", "small", "--candidate", third.id[:8], *options)
    assert held.returncode == 0, held.stderr
    said = " ".join(held.stdout.split())
    assert "1 finalist was chosen by hand, knowing test and validation data" in said
    document = json.loads((folder / "finals.json").read_text())
    finalists = [each for each in document["cards"][0]["functions"] if each["role"] == "finalist"]
    assert [(each["candidate_id"], each["rank"]) for each in finalists] == [(third.id, 3)]
    page = unescape((folder / "report" / "index.html").read_text())
    assert f"actsearch finals small --candidate {third.id} --seeds 2" in page
    # Replicates differ in nothing but their seeds, so that what one chose is left out.
    after = actsearch("replicate", "small", "--show", "--json", "--runs-dir", tmp_path)
    assert json.loads(after.stdout) == json.loads(replicates.stdout)

    for wrong, says in [
        (expression_id(parse("relu")), "relu(x) is no discovery of this search"),
        ("third", "begins with 'third'; `actsearch leaderboard` shows the ids"),
    ]:
        refused = actsearch("finals", "small", "--candidate", wrong, *options)
        assert refused.returncode == 2
        assert says in " ".join(refused.stderr.split())


def test_a_campaign_file_names_no_finalists() -> None:
    finals = {"candidates": ["12345678"]}
    with pytest.raises(ValidationError, match="actsearch finals CAMPAIGN --candidate ID"):
        Settings.model_validate({"name": "early", "seed": 1, "finals": finals})
