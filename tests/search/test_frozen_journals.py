"""Journals of an earlier version: every verb reads them, and their campaigns go on as they did."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any
from unittest import mock

import numpy as np
import pytest

from search.journal.journal import FILE_NAME, Journal
from search.tracking import Store

from .frozen_journals import (
    CAMPAIGNS,
    RecordedTraining,
    Told,
    campaign_file,
    payloads,
    recorded_versions,
    thaw,
    told,
    why_it_rounds_otherwise,
    without_gradients,
)
from .here import Answer, actsearch, captured

CUTS = [("genetic", share) for share in (0.03, 0.2, 0.34, 0.5, 0.8, 1.0)]
CUTS += [(name, share) for name in ("islands", "layers") for share in (0.25, 0.6, 0.95)]


def standings(events: Told) -> list[Mapping[str, Any]]:
    """The scored evaluations, one a candidate, as a leaderboard must order them."""
    highest: dict[str, Mapping[str, Any]] = {}
    for evaluation in payloads(events, "evaluation"):
        if evaluation["outcome"] == "scored":
            known = highest.setdefault(evaluation["candidate_id"], evaluation)
            if evaluation["rung"] > known["rung"]:
                highest[evaluation["candidate_id"]] = evaluation
    return sorted(highest.values(), key=lambda e: (-e["rung"], -score(e), e["candidate_id"]))


def score(evaluation: Mapping[str, Any]) -> float:
    return fmean(-math.log(seed["validation_loss"]) for seed in evaluation["per_seed"])


def best(events: Told) -> Mapping[str, Any]:
    """The evaluation of the best that the search discovered."""
    return next(
        evaluation
        for evaluation in standings(events)
        if events["candidate", evaluation["candidate_id"]]["origin"] == "discovered"
    )


def run(*arguments: str | Path) -> Answer:
    """Runs a verb that trains nothing."""
    answer = captured(*arguments)
    assert answer.status == 0, answer
    return answer


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_the_whole_file_is_checked_and_taken(name: str, tmp_path: Path) -> None:
    folder = thaw(name, tmp_path)
    events = told(folder)
    with Journal(folder / FILE_NAME) as journal:
        assert [(event.kind, event.key) for event in journal.events()] == list(events)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_the_leaderboard_ranks_what_was_scored(name: str, tmp_path: Path) -> None:
    expected = standings(told(thaw(name, tmp_path)))
    command = "leaderboard", CAMPAIGNS[name], "--runs-dir", tmp_path, "--top", "1000"
    rows = json.loads(run(*command, "--json").stdout)
    assert [row["candidate_id"] for row in rows] == [each["candidate_id"] for each in expected]
    assert [row["score"] for row in rows] == pytest.approx([score(each) for each in expected])
    assert [row["steps"] for row in rows] == [each["fidelity"]["steps"] for each in expected]
    printed = run(*command).stdout
    assert all(each["candidate_id"][:8] in printed for each in expected)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_the_report_shows_the_best(name: str, tmp_path: Path) -> None:
    events = told(thaw(name, tmp_path))
    page = tmp_path / "page"
    run("report", CAMPAIGNS[name], "--no-measure", "-o", page, "--runs-dir", tmp_path)
    table = json.loads((page / "tables" / "leaderboard.json").read_text())
    ids = [row[table["columns"].index("candidate_id")] for row in table["data"]]
    assert ids == [each["candidate_id"] for each in standings(events)]
    text = (page / "index.html").read_text()
    trained = sum(each["outcome"] != "rejected" for each in payloads(events, "evaluation"))
    assert f"<dt>trainings spent</dt><dd>{trained}</dd>" in text
    assert ("the finals were not held" in text) == (name != "genetic")
    assert ("is replaced by a stand-in" in text) == (name == "genetic")


def test_finals_say_what_their_runs_came_to(tmp_path: Path) -> None:
    events = told(thaw("genetic", tmp_path))
    with mock.patch("search.cli.finals.report_at_end"):
        printed = run("finals", "genetic", "--json", "--runs-dir", tmp_path).stdout
    told_of_cards = json.loads(printed)["cards"]
    assert [card["task"] for card in told_of_cards] == [
        "digits-mlp",
        "mnist1d-mlp",
        "digits-mlp@0.003",
    ]
    for card in told_of_cards:
        for function in card["functions"]:
            scored = [
                payload["test_accuracy"]
                for (kind, key), payload in events.items()
                if kind == "finals_score"
                and key.startswith(f"{function['candidate_id']}/{card['task']}/")
            ]
            assert len(scored) == len(card["seeds"])
            assert function["mean_percent"] == pytest.approx(100 * fmean(scored))


def test_a_record_keeps_claim_and_tables(tmp_path: Path) -> None:
    folder = thaw("genetic", tmp_path)
    run("report", "genetic", "--no-measure", "-o", folder / "report", "--runs-dir", tmp_path)
    run("record", "genetic", "--runs-dir", tmp_path)
    (kept,) = (tmp_path / "records").iterdir()
    assert kept.name == "2026-11-28-genetic"
    assert "ended because 3 generations are done" in (kept / "README.md").read_text()
    assert (kept / "report" / "tables" / "finals-seeds.json").is_file()


@pytest.mark.parametrize(
    ("name", "options"),
    [("genetic", []), ("islands", ["--trained"]), ("layers", ["--layer", "first"])],
    ids=["shared", "trained", "layer"],
)
def test_the_best_is_exported(name: str, options: list[str], tmp_path: Path) -> None:
    candidate = best(told(thaw(name, tmp_path)))["candidate_id"]
    file = tmp_path / "best.py"
    command = "export", CAMPAIGNS[name], "--candidate", candidate[:10], *options
    run(*command, "--to", "numpy", "--output", file, "--runs-dir", tmp_path)
    specification = importlib.util.spec_from_file_location("best", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert np.isfinite(module.activation(np.linspace(-3.0, 3.0, 7))).all()
    assert candidate in file.read_text()


@pytest.mark.parametrize("name", ["genetic", "islands"])
def test_the_mirror_shows_all(name: str, runs_dir: Path) -> None:
    events = told(thaw(name, runs_dir))
    run("sync", CAMPAIGNS[name], "--runs-dir", runs_dir)
    with Store(runs_dir) as store:

        def runs(experiment: str) -> list[Any]:
            found = store.client.get_experiment_by_name(experiment)
            return list(store.client.search_runs([found.experiment_id]))

        (campaign,) = runs(name)
        assert campaign.data.tags["state"] == "finished"
        assert campaign.data.metrics["trained"] == payloads(events, "generation")[-1]["trained"]
        path = store.client.download_artifacts(campaign.info.run_id, "candidates.csv")
        with Path(path).open(newline="") as table:
            shown = {row["candidate_id"] for row in csv.DictReader(table)}
        candidates = {payload["id"] for payload in payloads(events, "candidate")}
        assert shown == candidates
        if name == "islands":  # it gives every candidate a run of its own
            assert {run.data.tags["candidate_id"] for run in runs("islands/candidates")} == shown
        else:
            held = {(run["candidate_id"], run["task"]) for run in payloads(events, "finals_run")}
            assert len(runs("genetic/finals")) == 1 + len(held)


def go_on(name: str, runs_dir: Path, *, whole: Told) -> Told:
    """Launches a campaign over what its journal holds, with the training that is on record."""

    def pool(workload: Any, **limits: Any) -> RecordedTraining:
        return RecordedTraining(whole, workload.bench, workload.split)

    command = (
        "launch",
        campaign_file(name),
        "--runs-dir",
        runs_dir,
        "--set",
        "tracking.mlflow=false",
    )
    with recorded_versions(whole):
        answer = actsearch(*command, "--set", "tracking.mlflow=false", pool=pool)
    assert answer.status == 0, answer
    return told(runs_dir / CAMPAIGNS[name])


def test_an_interrupted_campaign_comes_to_the_same_end(tmp_path: Path) -> None:
    whole = told(thaw("genetic", tmp_path / "whole"))
    before = told(thaw("interrupted", tmp_path))
    after = go_on("interrupted", tmp_path, whole=whole)
    assert list(after.items())[: len(before)] == list(before.items())
    assert after == {key: event for key, event in whole.items() if key[0] != "measurement"}


@pytest.mark.parametrize(("name", "share"), CUTS)
def test_a_killed_campaign_comes_to_the_same_end(name: str, share: float, tmp_path: Path) -> None:
    whole = told(thaw(name, tmp_path / "whole"))
    events = {key: event for key, event in whole.items() if key[0] != "measurement"}
    thaw(name, tmp_path, events=round(share * len(events)))
    assert go_on(name, tmp_path, whole=whole) == events


def test_training_for_real_gives_the_same_bits(tmp_path: Path) -> None:
    whole = told(thaw("genetic", tmp_path / "whole"))
    if reason := why_it_rounds_otherwise(whole):
        pytest.skip(reason)
    folder = thaw("interrupted", tmp_path)
    command = "launch", campaign_file("interrupted"), "--runs-dir", tmp_path, "--workers", "2"
    with mock.patch("search.cli.campaigns.report_at_end"):
        run(*command, "--set", "tracking.mlflow=false")
    after = told(folder)
    events = {key: event for key, event in whole.items() if key[0] != "measurement"}
    assert without_gradients(after) == without_gradients(events)
