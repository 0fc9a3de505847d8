"""`actsearch atlas`: the functions of all campaigns by task, and the map of their shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actsearch import read_atlas
from evaluators.evaluation.evaluation import OnTask, OverTasks
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task, write_task
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.settings import Settings
from search.standings.atlas import AtlasError
from search.standings.conditions import rung_conditions

from .here import captured, launched

LONGER = "stop.generations=2"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two campaigns on one task."""
    runs_dir = tmp_path_factory.mktemp("atlas") / "runs"
    launched(runs_dir, "one", LONGER)
    launched(runs_dir, "other", "seed=8", LONGER)
    return runs_dir


def test_each_function_is_listed_once_where_it_was_trained_longest(both: Path) -> None:
    atlas = read_atlas(both)
    assert atlas.campaigns == ("one", "other")
    (chart,) = atlas.charts
    assert chart.name == "digits-mlp"
    ids = [row.candidate.id for row in chart.rows]
    assert len(set(ids)) == len(ids)
    expected: dict[str, tuple[int, float]] = {}
    for name in atlas.campaigns:
        with Journal(both / name / FILE_NAME, read_only=True) as journal:
            candidates = read_history(journal).candidates
        for key, record in candidates.items():
            if record.highest is not None:
                evaluation = record.highest.evaluation
                budget = evaluation.fidelity.steps * len(evaluation.fidelity.seeds)
                expected[key] = max(expected.get(key, (0, 0.0)), (budget, evaluation.score or 0))
    assert {row.candidate.id: (row.merit[0][0], row.score) for row in chart.rows} == expected
    assert [row.merit for row in chart.rows] == sorted((r.merit for r in chart.rows), reverse=True)
    swish = next(row for row in chart.rows if row.shown.startswith("swish = "))
    assert swish.campaigns == ["one", "other"]
    assert chart.rows[0] is swish, "what the simulation scores by"
    assert chart.lead(swish) == 0.0
    best = next(row for row in chart.rows if not row.is_published)
    assert chart.lead(best) == pytest.approx(best.score - swish.score)


def test_it_is_shown_for_people_and_for_programs(
    both: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    runs = ("--runs-dir", both)
    shown = captured("atlas", "--top", "3", *runs)
    assert shown.status == 0, shown
    assert "digits-mlp, " in shown.stdout
    assert "swish = x * sigmoid(x)" in shown.stdout
    assert "biased by selection" in " ".join(shown.stdout.split())
    document = json.loads(captured("atlas", "--top", "3", "--json", *runs).stdout)
    (task,) = document["tasks"]
    assert [row["rank"] for row in task["best"]] == [1, 2, 3]
    assert task["best"][0]["campaigns"] == ["one", "other"]
    assert task["best"][0]["seeds"] == [0, 1]
    lines = captured("atlas", "--csv", *runs).stdout.splitlines()
    assert lines[0].startswith("task,rank,candidate_id,expression,")
    assert len(lines) == 1 + 5
    atlas = read_atlas(both)
    assert "digits-mlp, " in repr(atlas)
    assert "<td>one, other</td>" in atlas._repr_html_()


def test_the_first_baseline_is_shown_wherever_it_stands(both: Path) -> None:
    (chart,) = read_atlas(both).charts
    turned = replace(chart, rows=tuple(reversed(chart.rows)))
    ranks = [rank for rank, row in turned.top(2)]
    assert ranks[:2] == [1, 2]
    assert len(ranks) == 3
    assert turned.top(2)[-1][1].is_published


def test_content_tells_tasks_apart_and_not_their_names(both: Path, tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    task = find_task("digits-mlp")
    other = replace(task, recipe=replace(task.recipe, batch=32), description="with other batches")
    same = replace(task, name="renamed")
    write_task(other, tmp_path / "digits-mlp.toml")
    write_task(same, tmp_path / "renamed.toml")
    launched(runs_dir, "one", LONGER)
    launched(runs_dir, "other", f"task={tmp_path / 'digits-mlp.toml'}", LONGER)
    launched(runs_dir, "same", f"task={tmp_path / 'renamed.toml'}", "seed=8", LONGER)
    charts = read_atlas(runs_dir).charts
    names = {chart.name for chart in charts}
    assert names == {f"digits-mlp ({task.digest[:6]})", f"digits-mlp ({other.digest[:6]})"}
    by_digest = {chart.digest: {c for row in chart.rows for c in row.campaigns} for chart in charts}
    assert by_digest == {task.digest: {"one", "same"}, other.digest: {"other"}}


def test_over_several_tasks_each_has_its_own_chart(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    launched(
        runs_dir,
        "wide",
        'scoring.tasks=["digits-mlp", "breast-cancer-mlp"]',
        "scoring.learning_rates=[0.001, 0.003]",
        LONGER,
    )
    atlas = read_atlas(runs_dir)
    assert {chart.name for chart in atlas.charts} == {"digits-mlp", "breast-cancer-mlp"}
    for chart in atlas.charts:
        assert {row.learning_rate for row in chart.rows} <= {0.001, 0.003}
        assert chart.rows[0].conditions.explores
        assert not chart.rows[-1].conditions.explores
    assert list(atlas.tables(task="breast-cancer-mlp")) == [
        f"breast-cancer-mlp, {len(atlas.chart('breast-cancer-mlp').rows)} functions"
    ]


def test_what_took_the_place_of_other_data_is_another_task(
    tmp_path: Path, write_campaign_in: Callable[..., Path]
) -> None:
    write_campaign_in(tmp_path, "replaced", fallback_for="mnist")
    write_campaign_in(tmp_path, "odd")  # its evaluations are on other data than its task says
    atlas = read_atlas(tmp_path)
    (chart,) = atlas.charts
    assert chart.digest != find_task("mnist-mlp").digest
    assert {row.conditions.dataset for row in chart.rows} == {"digits"}
    assert {name for row in chart.rows for name in row.campaigns} == {"replaced"}


def test_scores_on_other_data_and_none_at_all_are_left_out() -> None:
    settings = Settings(
        name="x",
        scoring={"tasks": ("digits-mlp", "mnist-mlp"), "rungs": ({"steps": 10},)},  # type: ignore[arg-type]
    )
    tasks = {name: find_task(name) for name in settings.search_tasks}
    (rung,) = rung_conditions(settings, tasks)
    assert [each.dataset for each in rung.tasks] == ["digits", "mnist"]

    def scores(*on: tuple[str, float | None]) -> list[Any]:
        tasks = tuple(OnTask("t", dataset, None, score, 0.0) for dataset, score in on)
        return rung.scores(evaluation(OverTasks(0.0, tasks)))

    assert [each[1] for each in scores(("digits", 1.0), ("mnist", 2.0))] == [1.0, 2.0]
    assert [each[1] for each in scores(("digits", 1.0), ("digits", 2.0))] == [1.0]
    assert [each[1] for each in scores(("digits", None), ("mnist", 2.0))] == [2.0]


def evaluation(over: OverTasks) -> Any:
    from evaluators.evaluation.evaluation import Evaluation, Outcome

    return Evaluation(
        "i", "x", "x", "digits-mlp", "digits", Fidelity(10, (0,)), Outcome.SCORED, over_tasks=over
    )


def test_what_cannot_be_read_is_named(both: Path, tmp_path: Path) -> None:
    empty = captured("atlas", "--runs-dir", tmp_path)
    assert empty.is_clear_error
    assert "no function was scored; tasks with scores: none yet" in empty.stderr
    unknown = captured("atlas", "--task", "mnist-mlp", "--runs-dir", both)
    assert unknown.is_clear_error
    assert "nothing was scored on 'mnist-mlp'; tasks with scores: digits-mlp" in unknown.stderr
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / FILE_NAME).write_bytes(b"no journal")
    atlas = read_atlas(tmp_path)
    assert list(atlas.left_out) == ["damaged"]
    assert "Left out: damaged, " in repr(atlas)


def test_the_map_is_drawn_alike_each_time(both: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    answer = captured("atlas", "--map", first, "--runs-dir", both)
    assert answer.status == 0, answer
    assert f"The map is {first}" in answer.stderr
    picture = read_atlas(both).map("digits-mlp").save(second)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(b"\x89PNG")
    assert "functions by shape among 9 published ones" in repr(picture)
    with pytest.raises(AtlasError, match="nothing was scored on 'mnist'"):
        read_atlas(both).map("mnist")
