"""Finals in MLflow: runs below a parent, and functions that load and can be called."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.datasets import load
from evaluators.tasks import find_task
from grammars import BASELINES, evaluate, parse
from search.candidates.candidate import Candidate
from search.finals import Finals, Rival, count_tried, finals_document, hold, plan_finals
from search.history import PROTOCOLS, read_history
from search.journal.journal import FILE_NAME, Journal
from search.settings import FinalsSettings
from search.standings.leaderboard import standings
from search.tracking import Destination, Mirror, Store, database_path, names, replica, store_uri
from search.tracking.finals_pages import FinalsPages
from search.tracking.models import model_code
from search.tracking.views import finals_view

from .finals_simulation import SimulatedTraining
from .store import without_ids

WriteCampaign = Callable[..., Path]
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "tracking.md"

WANTED = FinalsSettings(
    top=2,
    seeds=6,
    max_seeds=6,
    steps=8,
    transfer=("mnist1d-mlp",),
    transfer_seeds=2,
    register_leader=True,
)
RUNS = 1 + (2 + len(BASELINES)) + 5


@pytest.fixture(autouse=True)
def quick_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("draw_functions", "draw_progress"):
        monkeypatch.setattr(replica, name, lambda drawn, output: output.write_text(str(drawn)))


def with_finals(folder: Path, *rivals: Rival) -> Finals:
    """Holds simulated finals in a written campaign's folder, against further rivals if any."""
    with Journal(folder / FILE_NAME) as journal:
        plan = plan_finals(
            WANTED,
            number=1,
            standings=standings(read_history(journal)),
            task=find_task("digits-mlp"),
            dataset=load("digits"),
            steps=8,
            tried=count_tried(read_history(journal)),
            load=load,
            rivals=rivals,
        )
        training = SimulatedTraining({"softplus(x) - 0.5": 1.5}, noise_points=0.1)
        return hold(plan, journal, open_executor=training.open, stopping=threading.Event())


def rival(text: str) -> Rival:
    return Rival(Candidate.of(parse(text), generation=0, origin="baseline", variation=text))


def sync(folder: Path) -> None:
    Mirror(
        folder / FILE_NAME, destination=Destination(folder.parent), campaign_dir=folder
    ).catch_up()


def finals_runs(runs_dir: Path) -> list[Any]:
    with Store(runs_dir) as store:
        found = store.client.get_experiment_by_name("demo/finals")
        return list(store.client.search_runs([found.experiment_id])) if found else []


def rows(runs_dir: Path) -> list[tuple[Any, ...]]:
    """Everything that was written of finals, without what MLflow draws at random."""
    queries = (
        "SELECT r.name, 'param', p.key, p.value FROM runs r JOIN params p USING (run_uuid)",
        "SELECT r.name, 'tag', t.key, t.value FROM runs r JOIN tags t USING (run_uuid) "
        "WHERE t.key != 'mlflow.parentRunId'",
        "SELECT r.name, m.key, m.value, m.step, m.timestamp FROM runs r "
        "JOIN metrics m USING (run_uuid)",
        "SELECT name, 'model', '', '' FROM logged_models",
        "SELECT name, 'version', version, '' FROM model_versions",
    )
    with closing(sqlite3.connect(database_path(runs_dir))) as database:
        found = (row for query in queries for row in database.execute(query))
        return sorted(map(without_ids, found), key=repr)


def test_the_table_of_finals_begins_with_the_best_by_their_measure() -> None:
    sorted_by = {}
    for measure in PROTOCOLS:
        view = finals_view(1, "digits-mlp", measure)
        sorted_by[measure.setting] = view["orderByKey"], view["orderByAsc"]
    assert sorted_by == {
        "accuracy": ("metrics.`mean_percent`", False),
        "log_loss": ("metrics.`log_test_loss`", True),
    }
    assert {"mean_percent", "log_test_loss"} <= names.FINALS_FUNCTION_METRICS.keys()


def test_finals_are_runs_below_a_parent_with_metrics_by_seed(
    write_campaign: WriteCampaign, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_campaign()
    finals = with_finals(folder)
    sync(folder)
    assert capfd.readouterr() == ("", "")
    runs = finals_runs(folder.parent)
    assert len(runs) == RUNS
    (parent,) = [run for run in runs if run.data.tags["kind"] == "finals"]
    assert parent.data.tags["claim"].startswith("softplus(x) - 0.5 is better than ReLU (p < 0.001")
    assert (
        parent.data.tags["opened"] == "The test sets of digits and mnist1d were opened once each."
    )
    assert "| Swish |" in parent.data.tags["mlflow.note.content"]
    assert parent.data.metrics["mean_percent"] == pytest.approx(finals.own.rows[0].mean_percent)
    artifacts = Path(parent.info.artifact_uri.removeprefix("file://"))
    document = json.loads((artifacts / "finals.json").read_text())
    assert document == json.loads(json.dumps(finals_document(finals)))
    children = [run for run in runs if run.data.tags["kind"] == "finals_function"]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    (leader,) = [run for run in children if run.info.run_name == "digits-mlp: softplus(x) - 0.5"]
    row = finals.own.rows[0]
    assert leader.data.metrics["mean_percent"] == pytest.approx(row.mean_percent)
    assert leader.data.metrics["difference_relu"] > 1.0
    assert leader.data.tags["verdict"].startswith("better than ReLU")
    with Store(folder.parent) as store:
        history = store.client.get_metric_history(leader.info.run_id, "test_accuracy")
    assert [point.step for point in history] == list(range(6))
    assert [point.value for point in history] == [run.test_accuracy for run in row.runs]


def test_every_name_of_finals_is_in_the_tables_and_documented(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign()
    with_finals(folder, *map(rival, ("x_erf", "sin(x) - x * exp(x)")))
    sync(folder)
    # Of a rival that is not in the catalogue the id stands in the name.
    of_rival, written = re.compile(r"(difference|p)_(relu|swish|gelu|x_erf|[0-9a-f]{12})"), set()
    for run in finals_runs(folder.parent):
        written |= {found[2] for name in run.data.metrics if (found := of_rival.fullmatch(name))}
        is_parent = run.data.tags["kind"] == "finals"
        tags = names.FINALS_TAGS if is_parent else names.FINALS_FUNCTION_TAGS
        assert {tag for tag in run.data.tags if not tag.startswith("mlflow.")} <= set(tags)
        metrics = {of_rival.sub(r"\1_RIVAL", name) for name in run.data.metrics}
        assert metrics <= set(names.FINALS_FUNCTION_METRICS)
        assert set(run.data.params) <= set(names.FINALS_FUNCTION_PARAMS)
    assert len(written) == 5
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for table in (
        names.FINALS_TAGS,
        names.FINALS_FUNCTION_TAGS,
        names.FINALS_FUNCTION_METRICS,
        names.FINALS_FUNCTION_PARAMS,
    ):
        for name, meaning in table.items():
            assert f"| `{name}` | {meaning} |" in text


def test_finals_are_rebuilt_from_the_journal_alone(
    write_campaign: WriteCampaign, empty_store: Path
) -> None:
    folder = write_campaign()
    with_finals(folder)
    sync(folder)
    first = rows(folder.parent)
    sync(folder)
    assert rows(folder.parent) == first
    for path in folder.parent.glob("mlflow.db*"):
        path.unlink()
    shutil.copy(empty_store, database_path(folder.parent))
    sync(folder)
    assert rows(folder.parent) == first


@pytest.mark.parametrize("broken", [2, 5, 9, 20, 22])
def test_an_interruption_is_made_good(
    write_campaign: WriteCampaign, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    folder = write_campaign()
    with_finals(folder)
    whole = FinalsPages.writes

    def cut(self: FinalsPages, finals: Finals, **times: float) -> Any:
        for number, write in enumerate(whole(self, finals, **times)):
            if number == broken:
                raise RuntimeError("the store has gone")
            yield write

    with monkeypatch.context() as patch:
        patch.setattr(FinalsPages, "writes", cut)
        if broken < RUNS + 3:
            with pytest.raises(RuntimeError, match="the store has gone"):
                sync(folder)
    sync(folder)
    runs = finals_runs(folder.parent)
    assert len(runs) == RUNS
    (parent,) = [run for run in runs if run.data.tags["kind"] == "finals"]
    assert parent.data.tags["finals_written"] == "true"
    with closing(sqlite3.connect(database_path(folder.parent))) as database:
        assert database.execute("SELECT count(*) FROM logged_models").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM model_versions").fetchone() == (1,)


LOAD = """
import sys
import mlflow
import numpy as np

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
print(model.metadata.signature.inputs.to_json())
print(model.predict(np.linspace(-3.0, 3.0, 7)).tolist())
"""


def test_a_leader_loads_from_the_registry_and_can_be_called(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    with_finals(folder)
    sync(folder)
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, store_uri(folder.parent), "models:/demo/1"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    signature, values = result.stdout.splitlines()[-2:]
    assert json.loads(signature)[0]["tensor-spec"] == {"dtype": "float64", "shape": [-1]}
    expected = evaluate(parse("softplus(x) - 0.5"), np.linspace(-3.0, 3.0, 7))
    np.testing.assert_allclose(json.loads(values), expected, atol=1e-12)


def test_models_are_code_and_nothing_is_pickled(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    with_finals(folder)
    sync(folder)
    models = folder.parent / "mlartifacts" / "demo" / "finals" / "models"
    files = {path.name for path in models.rglob("*") if path.is_file()}
    assert "activation.py" in files
    assert not [name for name in files if name.endswith((".pkl", ".pickle"))]
    code = model_code("x * tanh(x)", campaign="demo")
    assert "x * np.tanh(x)" in code
    compile(code, "activation.py", "exec")
