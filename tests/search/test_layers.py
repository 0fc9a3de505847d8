"""A campaign with a function of its own for each layer, from its file to what is made of it."""

from __future__ import annotations

import csv
import json
import shutil
import threading
from pathlib import Path

import pytest

from evaluators.datasets import load
from evaluators.tasks import find_task
from grammars import Layered, parse_activation
from search.finals import FinalsError, Plan, count_tried, hold, plan_finals
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Ending
from search.report import read_findings
from search.report.page import render
from search.settings import FinalsSettings
from search.standings.leaderboard import find_standing, standings
from search.tracking import Destination, Mirror, Store, names

from .finals_simulation import SimulatedTraining
from .here import Answer, actsearch
from .simulation import Simulation
from .test_campaign import run, settings, told

CAMPAIGN = """
name = "layers"
seed = 4
task = "digits-mlp"
search = { population = 6, layers = "each" }
scoring = { rungs = [{ steps = 10 }, { steps = 40, seeds = 2 }], reduction_factor = 3.0 }
tracking.mlflow = false
stop.generations = 3
"""


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """The folder of a finished campaign, and what launching it said."""
    runs = tmp_path_factory.mktemp("runs")
    path = runs / "layers.toml"
    path.write_text(CAMPAIGN, encoding="utf-8")
    return runs / "layers", actsearch("launch", path, "--runs-dir", runs, "--workers", "1")


@pytest.fixture
def campaign(launched: tuple[Path, Answer], tmp_path: Path) -> Path:
    """A copy of its folder."""
    return Path(shutil.copytree(launched[0], tmp_path / "layers"))


def best_of(folder: Path) -> Layered:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        found = find_standing(read_history(journal)).candidate.canonical
    assert isinstance(found, Layered)
    return found


def plan(folder: Path, **wanted: object) -> Plan:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return plan_finals(
            FinalsSettings.model_validate({"top": 2, "seeds": 4, "max_seeds": 4, **wanted}),
            number=1,
            standings=standings(read_history(journal)),
            task=find_task("digits-mlp"),
            dataset=load("digits"),
            steps=40,
            tried=count_tried(read_history(journal)),
            load=load,
        )


def test_leaderboard_and_hall_of_fame_show_a_function_for_each_layer(
    launched: tuple[Path, Answer],
) -> None:
    folder, answer = launched
    assert answer.status == 0, answer.stderr
    best = best_of(folder)
    assert f"The best discovered is {best}: first: " in answer.stdout
    shown = actsearch("leaderboard", "layers", "--runs-dir", folder.parent, "--json").stdout
    rows = {row["expression"]: row for row in json.loads(shown)}
    assert rows[str(best)]["size"] == best.size
    with (folder / "hall_of_fame.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    assert isinstance(parse_activation(first["expression"]), Layered)
    assert first["novelty"].startswith("first: ")
    assert "; last: " in first["novelty"]


def test_brackets_are_no_markup(launched: tuple[Path, Answer]) -> None:
    folder, _ = launched
    table = actsearch("leaderboard", "layers", "--runs-dir", folder.parent).stdout
    assert str(best_of(folder))[:8] in table


@pytest.mark.parametrize("stop_after", [1, 21, 40])
def test_a_stopped_campaign_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, stop_after: int
) -> None:
    layered = settings(search__layers="each")
    run(tmp_path / "whole", layered)
    ending = run(tmp_path / "cut", layered, Simulation(stop_after=stop_after))
    assert ending == Ending("stopped on request", interrupted=True)
    run(tmp_path / "cut", layered, Simulation(batch=7))
    assert told(tmp_path / "cut") == told(tmp_path / "whole")


def test_a_file_holds_the_function_of_one_layer(
    launched: tuple[Path, Answer], tmp_path: Path
) -> None:
    folder, _ = launched
    wanted = ("export", "layers", "--runs-dir", folder.parent, "--to", "json", "-o", tmp_path)
    unclear = actsearch(*wanted)
    assert unclear.is_clear_error
    assert "choose it with --layer first or --layer last" in unclear.stderr
    assert (
        "no layer 'middle'; choose one of first, last, 1, 2"
        in actsearch(*wanted, "--layer", "middle").stderr
    )
    for layer, function in zip(("first", "2"), best_of(folder).functions, strict=True):
        answer = actsearch(*wanted, "--layer", layer)
        assert answer.status == 0, answer.stderr
        assert f"f(x) = {function}" in answer.stderr


def test_the_report_draws_every_function_and_divides_none(campaign: Path) -> None:
    page = render(read_findings(campaign))
    for place, function in zip(("first", "last"), best_of(campaign).functions, strict=True):
        assert f"{place}: {function}"[:30] in page
    assert "parts are measured of single functions only" in page


def test_finals_compare_networks_and_leave_out_what_they_do_not_fit(campaign: Path) -> None:
    planned = plan(campaign, transfer=["mnist1d-mlp", "mnist-deep"])
    assert [stage.task for stage in planned.stages] == ["digits-mlp", "mnist1d-mlp"]
    ((task, reason),) = planned.left_out
    assert task == "mnist-deep"
    assert "the network 8 hidden layers" in reason
    with pytest.raises(FinalsError, match="a registered model is a single function"):
        plan(campaign, register_leader=True)


def test_mlflow_shows_the_functions_and_has_no_model_of_a_network(
    campaign: Path, empty_store: Path
) -> None:
    shutil.copy(empty_store, campaign.parent)
    with Journal(campaign / FILE_NAME) as journal:
        workers = SimulatedTraining().open
        finals = hold(plan(campaign), journal, open_executor=workers, stopping=threading.Event())
    assert finals.leader is not None
    Mirror(
        campaign / FILE_NAME, destination=Destination(campaign.parent), campaign_dir=campaign
    ).catch_up()
    with Store(campaign.parent) as store:
        experiments = {e.name: e.experiment_id for e in store.client.search_experiments()}
        (page,) = store.client.search_runs([experiments["layers"]])
        artifacts = store.client.list_artifacts(page.info.run_id, "pictures")
        assert names.FUNCTIONS_PICTURE in {artifact.path for artifact in artifacts}
        ended = experiments[names.finals_experiment("layers")]
        assert store.client.search_runs([ended])
        assert store.client.search_logged_models([ended]) == []
