"""The MLflow mirror: complete, the same however often it is written, and never in the way."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from search.history import GenerationEnded, History, Told, read, read_history
from search.history.considered import COLUMNS, candidate_rows
from search.journal.journal import FILE_NAME, Journal
from search.settings import FREE_SETTINGS
from search.texts.dotted import flatten
from search.texts.shortening import shorten
from search.tracking import (
    Destination,
    Mirror,
    Store,
    TrackingError,
    database_path,
    names,
    replica,
    store_uri,
    views,
)
from search.tracking.candidate_table import table_csv, table_json
from search.tracking.curves import sheet
from search.tracking.descriptions import describe_campaign
from search.tracking.replica import LOCK, Replica
from search.tracking.store import exclusive

from .conftest import evaluation, generation
from .store import contents

WriteCampaign = Callable[..., Path]
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "tracking.md"

EVENTS = 24  # of the written campaign
CANDIDATES_WITH_RUNS = {"all": 9, "promoted": 3, "none": 0}


@pytest.fixture(autouse=True)
def quick_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all the rest of a mirror, and has tests of its own."""
    for name in ("draw_functions", "draw_progress"):
        monkeypatch.setattr(replica, name, lambda drawn, output: output.write_text(str(drawn)))


def mirror_of(folder: Path, **options: Any) -> Mirror:
    return Mirror(
        folder / FILE_NAME, destination=Destination(folder.parent), campaign_dir=folder, **options
    )


def runs_of(runs_dir: Path, experiment: str) -> list[Any]:
    with Store(runs_dir) as store:
        found = store.client.get_experiment_by_name(experiment)
        return list(store.client.search_runs([found.experiment_id])) if found else []


@contextmanager
def locked(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def test_the_campaign_is_one_run_with_its_settings_metrics_and_artifacts(
    write_campaign: WriteCampaign, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_campaign()
    mirror_of(folder).catch_up()
    assert capfd.readouterr() == ("", "")

    (run,) = runs_of(folder.parent, "demo")
    assert (run.info.run_name, run.info.status) == ("demo", "FINISHED")
    assert run.data.params["search.population"] == "64"
    assert json.loads(run.data.params["scoring.rungs"])[1] == {"steps": 1000, "seeds": 2}
    assert run.data.metrics["best_score"] == pytest.approx(2.3)
    assert run.data.metrics["evaluations"] == 9
    assert run.data.metrics["diversity"] == 0.75
    assert run.data.metrics["rate.hoisting"] == 0.25
    assert run.data.tags["best_expression"] == "softplus(x) - 0.5"
    assert run.data.tags["finish_reason"] == "2 generations were done"
    assert run.data.tags["version.jax"] == "0.10.2"
    assert {param.split(".")[0] for param in run.data.params}.isdisjoint(FREE_SETTINGS)
    assert run.data.tags["stop.generations"] == "10"
    assert run.data.tags["description"] == "A campaign written by a test."
    assert "demo/candidates" in run.data.tags["mlflow.note.content"]
    assert run.inputs.dataset_inputs[0].dataset.name == "digits"
    with Store(folder.parent) as store:
        history = store.client.get_metric_history(run.info.run_id, "median_score")
        spread = store.client.get_metric_history(run.info.run_id, "spread")
    assert [(point.step, point.value) for point in history] == [(0, 1.1), (1, pytest.approx(1.8))]
    assert [point.step for point in spread] == [1]

    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    curves = {names.curves_picture(number) for number in range(2)}
    written = {str(path.relative_to(artifacts)) for path in artifacts.rglob("*.*")}
    assert written == {*names.ARTIFACTS, *curves}
    assert (artifacts / names.CAMPAIGN_FILE).read_text() == 'name = "demo"\n'


@pytest.mark.parametrize("candidate_runs", CANDIDATES_WITH_RUNS)
def test_candidates_have_runs_as_the_setting_says(
    write_campaign: WriteCampaign, candidate_runs: Any
) -> None:
    folder = write_campaign()
    mirror_of(folder, candidate_runs=candidate_runs).catch_up()
    runs = runs_of(folder.parent, "demo/candidates")
    assert len(runs) == CANDIDATES_WITH_RUNS[candidate_runs]


def test_a_candidate_shows_its_highest_rung_and_keeps_the_lower_one(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign()
    mirror_of(folder, candidate_runs="all").catch_up()
    runs = {run.info.run_name: run for run in runs_of(folder.parent, "demo/candidates")}

    promoted = runs["softplus(x) - 0.5"]
    assert promoted.data.metrics["rung"] == 1
    assert promoted.data.metrics["validation_loss"] == pytest.approx(0.105)
    assert promoted.data.params["expression"] == "softplus(x) - 0.5"
    with Store(folder.parent) as store:
        history = store.client.get_metric_history(promoted.info.run_id, "fitness")
    assert [point.step for point in history] == [0, 1]

    described = promoted.data.tags["mlflow.note.content"]
    assert "Not in the catalogue. Canonical form: `softplus(x) - 0.5`" in described
    assert "generation-0001.svg" in described

    baseline, rejected = runs["Swish: x * sigmoid(x)"], runs["4 - x"]
    assert baseline.data.tags["origin"] == "baseline"
    assert rejected.data.tags["outcome"] == "rejected"
    assert "affine" in rejected.data.tags["reason"]
    assert "Rejected: it is affine" in rejected.data.tags["mlflow.note.content"]
    assert "In the catalogue: **swish** (" in baseline.data.tags["mlflow.note.content"]
    assert "fitness" not in rejected.data.metrics


def test_a_fallback_is_announced_as_a_tag_and_in_the_description(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign(fallback_for="mnist")
    write_campaign("other")
    for each in (folder, folder.parent / "other"):
        mirror_of(each).catch_up()
    (run,) = runs_of(folder.parent, "demo")
    assert run.data.tags["fallback_for"] == "mnist"
    assert "mnist was unavailable" in run.data.tags["mlflow.note.content"]
    assert run.data.tags["trained_on"] == "mnist-mlp on digits instead of mnist"
    candidate, *_ = runs_of(folder.parent, "demo/candidates")
    assert "Trained on mnist-mlp on digits inst" in candidate.data.tags["mlflow.note.content"]
    (other,) = runs_of(folder.parent, "other")
    assert "fallback_for" not in other.data.tags
    assert other.data.tags["trained_on"] == "mnist-mlp"


def test_each_candidate_has_a_view_of_its_generation_s_curves(
    write_campaign: WriteCampaign,
) -> None:
    records = [
        record
        for record in folded(write_campaign()).candidates.values()
        if record.candidate.generation == 1
    ]
    picture = ElementTree.fromstring(sheet(records))
    views = {each.get("id"): each.get("viewBox") for each in picture.iter() if each.get("id")}
    assert list(views) == [f"f-{record.candidate.id}" for record in records]
    assert list(views.values()) == [f"0 {80 * place} 392 80" for place in range(len(records))]
    # f and f' of each, before ReLU's and the axes.
    assert sum(each.tag.endswith("path") for each in picture.iter()) == 6 * len(records)


def test_the_rivals_are_lines_beside_the_best_on_its_rung(write_campaign: WriteCampaign) -> None:
    with Journal(write_campaign() / FILE_NAME) as journal:
        swish, *_ = read_history(journal).candidates.values()
        assert [each.rivals for each in read_history(journal).generations] == [{}, {}]
        journal.append(*evaluation(swish.candidate, rung=1, loss=0.3))
        journal.append(*generation(2, best=swish.candidate, best_score=1.2))
        assert read_history(journal).generations[-1].rivals == {
            "swish": pytest.approx(-math.log(0.3 * 0.31) / 2)
        }


def test_an_earlier_view_is_saved_anew_and_a_description_is_not(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign()
    mirror_of(folder).catch_up()
    with Store(folder.parent) as store:
        found = store.client.get_experiment_by_name("demo/candidates")
        for key in (views.VIEW_TAG, "mlflow.note.content"):
            store.client.set_experiment_tag(found.experiment_id, key, "{}")
    mirror_of(folder).catch_up()
    with Store(folder.parent) as store:
        tags = store.client.get_experiment_by_name("demo/candidates").tags
    assert json.loads(tags[views.VIEW_TAG]) == views.candidates_view([])
    assert tags["mlflow.note.content"] == "{}"


def test_scores_by_task_stand_before_cost_and_size() -> None:
    parallel, *_ = views.candidates_view(["mnist-mlp", "spirals"])["compareRunCharts"]
    assert parallel["selectedMetrics"] == [
        *("score.mnist-mlp", "score.spirals", "cost", "size", "fitness"),
    ]


def test_writing_twice_writes_the_same(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    mirror_of(folder).catch_up()
    once = contents(folder.parent)
    mirror_of(folder).catch_up()
    assert contents(folder.parent) == once


@pytest.mark.parametrize("calls_before_failure", [1, 6, 11])
def test_an_interruption_between_any_two_calls_is_made_good(
    write_campaign: WriteCampaign,
    empty_store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calls_before_failure: int,
) -> None:
    from mlflow import MlflowClient

    folder = write_campaign()
    untouched = tmp_path / "untouched"
    shutil.copytree(folder, untouched / "demo")
    shutil.copy(empty_store, untouched)
    mirror_of(untouched / "demo").catch_up()

    remaining = [calls_before_failure]
    for name in ("create_run", "log_batch", "set_terminated"):
        call = getattr(MlflowClient, name)

        def fail_in_the_end(*args: Any, call: Any = call, **options: Any) -> Any:
            remaining[0] -= 1
            if remaining[0] < 0:
                raise ConnectionAbortedError("the plug was pulled")
            return call(*args, **options)

        monkeypatch.setattr(MlflowClient, name, fail_in_the_end)
    with pytest.raises(TrackingError, match=r"cannot be written: .*the plug was pulled"):
        mirror_of(folder).catch_up()
    monkeypatch.undo()
    mirror_of(folder).catch_up()
    assert contents(folder.parent) == contents(untouched)


def test_following_a_growing_journal_gives_what_sync_gives(
    write_campaign: WriteCampaign, empty_store: Path, tmp_path: Path
) -> None:
    folder = write_campaign(count=6)
    mirror = mirror_of(folder)
    mirror.start()
    for count in (12, 20, None):
        write_campaign(count=count)
        mirror.wake()
    status = mirror.close(timeout_seconds=60.0)
    assert (status.events_behind, status.error) == (0, None)

    synced = tmp_path / "synced"
    shutil.copytree(folder, synced / "demo")
    shutil.copy(empty_store, synced)
    mirror_of(synced / "demo").catch_up()
    assert contents(folder.parent) == contents(synced)


def test_an_unfinished_campaign_is_interrupted_until_it_goes_on(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign(count=18)
    mirror_of(folder).catch_up()
    (run,) = runs_of(folder.parent, "demo")
    assert (run.info.status, run.data.tags["state"]) == ("KILLED", "interrupted")
    write_campaign()
    mirror_of(folder).catch_up()
    (run,) = runs_of(folder.parent, "demo")
    assert (run.info.status, run.data.tags["state"]) == ("FINISHED", "finished")


def test_a_locked_store_stops_nobody_and_is_completed_later(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign()
    mirror = mirror_of(folder)
    with locked(database_path(folder.parent)):
        mirror.start()
        mirror.wake()
        status = mirror.close(timeout_seconds=0.5)
    assert status.events_behind == EVENTS
    assert status.error is not None
    mirror._thread.join(30.0)
    mirror_of(folder).catch_up()
    assert len(runs_of(folder.parent, "demo/candidates")) == CANDIDATES_WITH_RUNS["promoted"]


def test_a_slow_store_is_waited_for_within_bounds(
    write_campaign: WriteCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    folder = write_campaign()
    writing, released, written = threading.Event(), threading.Event(), threading.Event()

    def write_slowly(*args: object, **options: object) -> None:
        writing.set()
        released.wait(60.0)
        written.set()

    monkeypatch.setattr(MlflowClient, "log_batch", write_slowly)
    mirror = mirror_of(folder)
    mirror.start()
    assert writing.wait(60.0)
    mirror.wake()
    assert not written.is_set()
    begun = time.monotonic()
    status = mirror.close(timeout_seconds=0.5)
    assert time.monotonic() - begun < 10.0
    assert (status.events_behind, status.error) == (EVENTS, "timed out after 0.5 s")
    monkeypatch.undo()
    released.set()
    mirror._thread.join(30.0)
    mirror_of(folder).catch_up()
    assert len(runs_of(folder.parent, "demo/candidates")) == CANDIDATES_WITH_RUNS["promoted"]


def test_a_store_that_cannot_be_reached_stops_nobody(
    write_campaign: WriteCampaign, tmp_path: Path
) -> None:
    folder = write_campaign()
    elsewhere = tmp_path / "unmounted" / "runs"
    elsewhere.parent.write_text("where a network drive would be")
    mirror = Mirror(folder / FILE_NAME, destination=Destination(elsewhere), campaign_dir=folder)
    mirror.start()
    status = mirror.close(timeout_seconds=1.5)
    assert status.events_behind == EVENTS
    assert "Not a directory" in str(status.error)
    elsewhere.parent.unlink()
    mirror._thread.join(30.0)
    Mirror(folder / FILE_NAME, destination=Destination(elsewhere), campaign_dir=folder).catch_up()
    assert len(runs_of(elsewhere, "demo/candidates")) == CANDIDATES_WITH_RUNS["promoted"]


def test_a_store_deleted_under_the_mirror_is_rebuilt(write_campaign: WriteCampaign) -> None:
    folder = write_campaign(count=18)
    following = Replica(
        folder / FILE_NAME,
        destination=Destination(folder.parent),
        candidate_runs="all",
        campaign_dir=folder,
    )
    following.advance(after_write=lambda seconds: None, is_running=True)
    for path in folder.parent.glob("mlflow.db*"):
        path.unlink()
    write_campaign()
    following.advance(after_write=lambda seconds: None, is_running=True)
    following.forget()
    assert len(runs_of(folder.parent, "demo")) == 1
    assert len(runs_of(folder.parent, "demo/candidates")) == CANDIDATES_WITH_RUNS["all"]


def test_experiments_deleted_in_the_ui_come_back(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    mirror_of(folder).catch_up()
    once = contents(folder.parent)
    with Store(folder.parent) as store:
        for name in ("demo", "demo/candidates"):
            found = store.client.get_experiment_by_name(name)
            store.client.delete_experiment(found.experiment_id)
    mirror_of(folder).catch_up()
    assert contents(folder.parent) == once


def test_a_store_that_is_no_database_is_said_once_at_the_end(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign()
    database_path(folder.parent).write_text("not a database, and longer than its header is" * 9)
    mirror = mirror_of(folder)
    mirror.start()
    status = mirror.close(timeout_seconds=1.5)
    assert status.events_behind == EVENTS
    assert "not a database" in str(status.error)
    with pytest.raises(TrackingError, match="cannot be written: DatabaseError: file is not a"):
        mirror_of(folder).catch_up()


def test_a_lock_is_tried_again_until_the_store_is_free(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    mirror = mirror_of(folder)
    with exclusive(folder / LOCK, wait=False):
        mirror.start()
        assert mirror.close(timeout_seconds=0.5).events_behind == EVENTS
    mirror._thread.join(30.0)
    again = mirror_of(folder)
    again.start()
    assert again.close(timeout_seconds=60.0).events_behind == 0


def test_two_mirrors_of_one_campaign_do_not_write_together(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    with (
        exclusive(folder / LOCK, wait=False),
        pytest.raises(TrackingError, match="another process is mirroring demo to MLflow now"),
    ):
        mirror_of(folder).catch_up()


def test_a_journal_without_a_launch_is_refused(runs_dir: Path) -> None:
    folder = runs_dir / "odd"
    folder.mkdir()
    with Journal(folder / FILE_NAME) as journal:
        journal.append("finished", "0", {"reason": "none", "generations": 0})
    with pytest.raises(TrackingError, match="does not begin with the settings of a campaign"):
        mirror_of(folder).catch_up()


def test_a_mirror_that_never_started_closes_at_once(write_campaign: WriteCampaign) -> None:
    status = mirror_of(write_campaign()).close(timeout_seconds=60.0)
    assert status.events_behind == EVENTS


def test_every_name_that_is_written_is_in_the_tables(write_campaign: WriteCampaign) -> None:
    folder = write_campaign(fallback_for="mnist")
    mirror_of(folder, candidate_runs="all").catch_up()
    for experiment, metrics, tags in (
        ("demo", names.GENERATION_METRICS, names.CAMPAIGN_TAGS),
        ("demo/candidates", names.CANDIDATE_METRICS, names.CANDIDATE_TAGS),
    ):
        for run in runs_of(folder.parent, experiment):
            fixed = {name for name in run.data.metrics if not name.startswith(names.RATE_PREFIX)}
            assert fixed <= set(metrics)
            settings = tuple(f"{section}." for section in FREE_SETTINGS)
            open_ended = ("mlflow.", "version.", *settings)
            written = {tag for tag in run.data.tags if not tag.startswith(open_ended)}
            assert written <= set(tags)


def test_every_setting_that_a_later_launch_may_change_is_a_tag() -> None:
    told = {tag.partition(".")[0] for tag in names.CAMPAIGN_TAGS}
    assert set(FREE_SETTINGS) <= told


@pytest.mark.parametrize(
    ("scoring", "said"),
    [
        ({}, "A score is minus the mean log validation loss: higher is better, and 0.1 more"),
        ({"tasks": ["digits-mlp", "mnist-mlp"]}, "A score is how far a function is ahead of the"),
        ({"learning_rates": [0.001, 0.002]}, "A score is how far a function is ahead of the best"),
    ],
)
def test_the_head_of_a_campaign_says_what_its_scores_are(
    scoring: dict[str, Any], said: str, write_campaign: WriteCampaign
) -> None:
    launch = folded(write_campaign()).launch
    assert launch is not None
    settings = {**launch.settings, "scoring": {**launch.settings["scoring"], **scoring}}
    assert said in describe_campaign("demo", "demo", replace(launch, settings=settings))


@pytest.mark.parametrize(
    "table",
    [
        names.GENERATION_METRICS,
        names.CANDIDATE_METRICS,
        names.CANDIDATE_PARAMS,
        names.CAMPAIGN_TAGS,
        names.CANDIDATE_TAGS,
        names.ARTIFACTS,
        names.CURVES_ARTIFACTS,
        names.REPORT_ARTIFACTS,
    ],
)
def test_every_name_is_documented(table: dict[str, str]) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for name, meaning in table.items():
        assert f"| `{name}` | {meaning} |" in text


def folded(folder: Path) -> History:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return read_history(journal)


def test_the_table_holds_every_candidate_the_fittest_first(write_campaign: WriteCampaign) -> None:
    rows = candidate_rows(folded(write_campaign()).candidates.values())
    assert [row["expression"] for row in rows[:2]] == ["softplus(x) - 0.5", "sin(x) + relu(x)"]
    assert [row["outcome"] for row in rows[-2:]] == ["rejected", "rejected"]
    assert len(rows) == 9
    document = json.loads(table_json(rows))
    assert document["columns"] == list(COLUMNS)
    read = list(csv.DictReader(table_csv(rows).splitlines()))
    assert [row["candidate_id"] for row in read] == [row["candidate_id"] for row in rows]
    assert read[-1]["fitness"] == ""


def test_the_rate_counts_trainings_by_the_journal_clock(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    history = History()
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        for position, told in enumerate(read(journal)):
            history.add(Told(told.sequence, position, told.event))
    first, second = history.generations
    assert (first.evaluations, second.evaluations) == (5, 9)
    assert first.evaluations_per_second == pytest.approx(5 / 12)
    assert second.evaluations_per_second == pytest.approx(4 / 10)


def test_a_larger_budget_takes_a_finished_campaign_on(write_campaign: WriteCampaign) -> None:
    history = folded(write_campaign())
    assert history.finish is not None
    summary = replace(history.generations[-1].summary, generation=2)
    history.add(Told(99, 2e9, GenerationEnded(summary)))
    assert history.finish is None


def test_long_texts_are_cut_visibly_and_settings_flattened() -> None:
    assert shorten("x" * 20, 10) == "xxxxxxxxx…"
    assert flatten({"a": {"b": {"c": None}}, "d": [1, 2]}) == {"a.b.c": None, "d": [1, 2]}


def test_the_address_of_the_store_is_absolute(tmp_path: Path) -> None:
    assert store_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
