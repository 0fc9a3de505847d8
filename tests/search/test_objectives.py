"""A further objective is one row: NSGA-II, the front, the report and MLflow read it from there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grammars import load_grammar
from search.candidates.objectives import OBJECTIVES, Objective, burdens, front_of, pareto_front
from search.candidates.racing import Standing
from search.journal.journal import FILE_NAME
from search.report import write_report
from search.settings import SearchSettings
from search.strategies.nsga2 import NSGA2
from search.tracking import Destination, Mirror, Store

from .conftest import WriteCampaign
from .strategies.test_evolution import ranked

DEPTH = Objective(
    "depth",
    "edges from the root to the deepest leaf",
    lambda standing: standing.candidate.canonical.depth,
    "minimise",
)
GOOD = ranked("abs(tanh(square(x)))", loss=0.1)
# Worse, dearer and as large: only its depth speaks for it.
SHALLOW = ranked("x + sin(x)", loss=0.2)


@pytest.fixture
def depth(monkeypatch: pytest.MonkeyPatch) -> Objective:
    monkeypatch.setitem(OBJECTIVES, DEPTH.name, DEPTH)
    return DEPTH


def test_a_further_objective_widens_the_front(request: pytest.FixtureRequest) -> None:
    assert pareto_front([SHALLOW, GOOD]) == [GOOD]
    request.getfixturevalue("depth")
    assert pareto_front([SHALLOW, GOOD]) == [GOOD, SHALLOW]


def test_nsga2_selects_by_every_row(depth: Objective) -> None:
    settings = SearchSettings(strategy="nsga2", population=4, tournament=2)
    searching = NSGA2(load_grammar("core"), settings, seed=1)
    searching.tell([GOOD, SHALLOW])
    values = {m.candidate_id: m.fitness.values for m in searching.population}
    assert values == {GOOD.candidate.id: (0, 3.7, 4, 3), SHALLOW.candidate.id: (1, 7.3, 4, 2)}


def test_the_report_has_a_column_for_every_row(
    depth: Objective, write_campaign: WriteCampaign
) -> None:
    page = write_report(write_campaign())
    assert '<th scope="col">size</th><th scope="col">depth</th>' in page.read_text()
    assert "surpassed by no other in score, cost, size and depth at once" in page.read_text()
    table = json.loads((page.parent / "tables" / "front.json").read_text())
    assert {"score", "cost", "size", "depth"} <= set(table["columns"])


def test_mlflow_has_a_metric_for_every_row(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    OBJECTIVES["ends"] = Objective("ends", "a number", lambda standing: 7.0, "maximise")
    try:
        Mirror(
            folder / FILE_NAME, destination=Destination(folder.parent), campaign_dir=folder
        ).catch_up()
    finally:
        del OBJECTIVES["ends"]
    assert all(run.data.metrics["ends"] == 7.0 for run in candidate_runs(folder.parent))


def candidate_runs(runs_dir: Any) -> list[Any]:
    with Store(runs_dir) as store:
        experiment = store.client.get_experiment_by_name("demo/candidates")
        assert experiment is not None
        runs = list(store.client.search_runs([experiment.experiment_id]))
    assert runs
    return runs


def test_only_what_training_measures_depends_on_the_rung() -> None:
    promoted = Standing(SHALLOW.candidate, 1, SHALLOW.evaluation)
    assert burdens([GOOD, promoted]) == [(1, 3.7, 4), (0, 7.3, 4)]
    assert burdens([GOOD, SHALLOW]) == [(0, 3.7, 4), (1, 7.3, 4)]
    assert front_of([GOOD, promoted]) == [promoted], "scores of two rungs cannot be compared"


def test_more_of_what_is_to_be_maximised_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    larger = Objective("size", "nodes", OBJECTIVES["size"].value, "maximise")
    monkeypatch.setitem(OBJECTIVES, "size", larger)
    small, large = ranked("tanh(x)", loss=0.1), ranked("tanh(tanh(x))", loss=0.1)
    assert burdens([small, large]) == [(0, 2.5, -2), (1, 5.0, -3)]
    assert len(pareto_front([small, large])) == 2
