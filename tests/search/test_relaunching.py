"""A launch with a larger budget is what the report, MLflow and the finals then say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from search.finals import finals_in
from search.history import History, read_history
from search.journal.journal import FILE_NAME, Journal
from search.tracking import Store

from .here import Answer, SimulatedPool, actsearch, captured

CAMPAIGN = """
seed = 2
task = "digits-mlp"
description = "At first small."
search.population = 6
scoring = { rungs = [{ steps = 20 }, { steps = 40 }] }
stop = { generations = 2, minutes = 30.0 }
finals = { top = 1, seeds = 2, max_seeds = 2 }
"""
LARGER = """
seed = 2
task = "digits-mlp"
description = "Then larger."
search.population = 6
scoring = { rungs = [{ steps = 20 }, { steps = 40 }] }
tracking.candidate_runs = "all"
stop.generations = 4
finals = { top = 2, seeds = 3, max_seeds = 3 }
"""


def launch(campaign_file: Path, runs_dir: Path, *options: str) -> Answer:
    answer = actsearch("launch", campaign_file, "--runs-dir", runs_dir, *options)
    assert answer.status == 0, answer
    return answer


def history_of(runs_dir: Path) -> History:
    with Journal(runs_dir / "growing" / FILE_NAME, read_only=True) as journal:
        return read_history(journal)


@pytest.fixture
def grown(tmp_path: Path, runs_dir: Path) -> Path:
    """A runs directory with a campaign that was launched with two budgets."""
    campaign_file = tmp_path / "growing.toml"
    campaign_file.write_text(CAMPAIGN)
    launch(campaign_file, runs_dir)
    campaign_file.write_text(LARGER)
    launch(campaign_file, runs_dir)
    return runs_dir


def test_everybody_says_the_settings_of_the_last_launch(grown: Path) -> None:
    history = history_of(grown)
    assert len(history.generations) == 4
    assert history.finish is not None
    assert history.finish.reason == "4 generations are done"
    assert history.launch is not None
    assert history.launch.campaign_file == LARGER

    finals = finals_in(history)
    assert finals is not None
    assert (finals.plan.number, len(finals.plan.finalists)) == (2, 2)
    with (
        mock.patch("search.executors.starting.ProcessPool", SimulatedPool),
        mock.patch("search.cli.finals.report_at_end"),
    ):
        again = captured("finals", "growing", "--runs-dir", grown, "--seeds", "4", "--json")
    assert again.status == 0, again
    finalists = [f for f in json.loads(again.stdout)["cards"][0]["functions"] if f["rank"]]
    assert len(finalists) == 2

    page = captured("report", "growing", "--runs-dir", grown, "--no-measure", "-o", grown / "page")
    assert page.status == 0, page
    text = unescape((grown / "page" / "index.html").read_text())
    assert "<dt>stop.generations</dt><dd>4</dd>" in text
    assert "<dt>stop.minutes</dt>" not in text
    assert "Then larger." in text
    assert "At first small." not in text
    assert "actsearch launch growing.toml\nactsearch finals growing" in text

    with Store(grown) as store:
        found = store.client.get_experiment_by_name("growing")
        (run,) = store.client.search_runs([found.experiment_id])
        assert run.data.tags["stop.generations"] == "4"
        assert "stop.minutes" not in run.data.tags
        assert run.data.tags["finals.top"] == "2"
        assert run.data.tags["description"] == "Then larger."
        assert run.data.tags["state"] == "finished"
        experiment = store.client.get_experiment_by_name("growing/candidates")
        mirrored = store.client.search_runs([experiment.experiment_id])
    # The second launch gives every candidate a run, those of the first included.
    evaluated = [each for each in history.candidates.values() if each.rungs]
    assert {run.data.tags["candidate_id"] for run in mirrored} == {
        record.candidate.id for record in evaluated
    }


def test_a_launch_with_the_same_settings_is_no_event(tmp_path: Path, runs_dir: Path) -> None:
    campaign_file = tmp_path / "growing.toml"
    campaign_file.write_text(CAMPAIGN)
    launch(campaign_file, runs_dir)
    # Also from the copy, whose heading is not part of it.
    launch(runs_dir / "growing" / "campaign.toml", runs_dir, "--set", "name=growing")
    launch(campaign_file, runs_dir)
    with Journal(runs_dir / "growing" / FILE_NAME, read_only=True) as journal:
        assert [event.key for event in journal.events("campaign", "launch")] == ["settings"]


def events_of(runs_dir: Path) -> list[tuple[str, str, Mapping[str, Any]]]:
    """All but how long finals were looked at."""
    with Journal(runs_dir / "growing" / FILE_NAME, read_only=True) as journal:
        return [
            (event.kind, event.key, event.payload)
            for event in journal.events()
            if not event.key.startswith("finals ")
        ]


def test_what_was_searched_to_the_end_is_not_searched_again(tmp_path: Path, runs_dir: Path) -> None:
    campaign_file = tmp_path / "growing.toml"
    campaign_file.write_text(CAMPAIGN)
    launch(campaign_file, runs_dir)
    before = events_of(runs_dir)
    with mock.patch("search.launching.launch.Loop", side_effect=AssertionError("searched again")):
        answer = launch(campaign_file, runs_dir)
    assert "the search has ended: 2 generations are done" in answer.stderr
    assert events_of(runs_dir) == before

    # Polishing can be added afterwards, and is done once as well.
    campaign_file.write_text(CAMPAIGN + "polish = { functions = 1, trainings = 4 }\n")
    launch(campaign_file, runs_dir)
    polished = events_of(runs_dir)
    assert {kind for kind, *_ in polished[len(before) :]} >= {"polish", "settled"}
    with mock.patch("search.launching.launch.polish", side_effect=AssertionError("polished again")):
        launch(campaign_file, runs_dir)
    assert events_of(runs_dir) == polished


def test_a_smaller_budget_is_that_of_another_search(grown: Path, tmp_path: Path) -> None:
    hall_of_fame = grown / "growing" / "hall_of_fame.csv"
    of_four_generations = hall_of_fame.read_text()
    (tmp_path / "growing.toml").write_text(CAMPAIGN)
    launch(tmp_path / "growing.toml", grown)
    settled = [payload for kind, _, payload in events_of(grown) if kind == "settled"]
    assert [each["budget"]["stop"]["generations"] for each in settled] == [2, 4, 2]
    assert hall_of_fame.read_text() == of_four_generations


def test_a_journal_that_came_alone_gets_back_what_belongs_to_it(
    tmp_path: Path, runs_dir: Path
) -> None:
    campaign_file = tmp_path / "growing.toml"
    campaign_file.write_text(CAMPAIGN)
    launch(campaign_file, runs_dir)
    hall_of_fame = runs_dir / "growing" / "hall_of_fame.csv"
    before = hall_of_fame.read_text()
    hall_of_fame.unlink()
    launch(campaign_file, runs_dir)
    assert hall_of_fame.read_text() == before
