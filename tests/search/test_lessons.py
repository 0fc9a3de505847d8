"""`[search] learn_from`: a campaign that learns from earlier ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from actsearch import Campaign, Site
from search.candidates.lesson import Lesson
from search.history import find_begun, find_lessons, read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.lessons import digest_of
from search.settings import SearchSettings, SettingsError

from .here import SimulatedPool

SETTINGS: dict[str, Any] = {
    "seed": 7,
    "task": "digits-mlp",
    "search": {"strategy": "surrogate", "population": 32, "brood": 100},
    "scoring": {"rungs": [{"steps": 20}, {"steps": 40, "seeds": 2}], "reduction_factor": 2.0},
    "stop": {"generations": 3},
    "tracking": {"mlflow": False},
}


def campaign(
    runs_dir: Path,
    name: str,
    *learn_from: Path,
    said: Callable[[str], None] = lambda text: None,
    **changes: Any,
) -> Campaign:
    search = {"learn_from": [str(folder) for folder in learn_from], **changes.pop("search", {})}
    site = Site(runs_dir, announce=said)
    return Campaign(SETTINGS, name=name, search=search, site=site, **changes)


def run(which: Campaign, **options: Any) -> None:
    with mock.patch("search.executors.starting.ProcessPool", SimulatedPool):
        which.run(progress=False, **options)


def told(which: Campaign, *kinds: str) -> list[tuple[str, str, Any]]:
    with Journal(which.folder / FILE_NAME, read_only=True) as journal:
        return [(e.kind, e.key, e.payload) for e in journal.events(*kinds)]  # type: ignore[arg-type]


def proposed(which: Campaign) -> list[str]:
    return [key for _, key, payload in told(which, "candidate") if payload["origin"] != "baseline"]


def lessons_of(which: Campaign) -> tuple[Lesson, ...]:
    with Journal(which.folder / FILE_NAME, read_only=True) as journal:
        return find_lessons(journal)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A campaign to learn from."""
    found = campaign(tmp_path_factory.mktemp("first") / "runs", "first")
    run(found)
    return found


def test_it_proposes_other_functions_from_the_first_generation_on(
    first: Campaign, tmp_path: Path
) -> None:
    said: list[str] = []
    alone = campaign(tmp_path, "alone", seed=8)
    taught = campaign(tmp_path, "taught", first.folder, seed=8, said=said.append)
    again = campaign(tmp_path, "again", first.folder.parent, seed=8)
    for each in (alone, taught, again):
        run(each)
    lessons = lessons_of(taught)
    assert any(f"the search learns from {len(lessons)} functions of first" in s for s in said)
    assert proposed(taught) != proposed(alone)
    assert proposed(taught) == proposed(again), "whichever way it is named"
    bred = {
        key: p["generation"]
        for _, key, p in told(taught, "candidate")
        if p["variation"] == "forecast"
    }
    assert bred.keys().isdisjoint(lesson.candidate_id for lesson in lessons)
    assert 0 in bred.values()
    assert "forecast" not in {
        p["variation"]
        for _, _, p in told(alone, "candidate")
        if p["generation"] == 0 and p["origin"] != "baseline"
    }
    begun = told(taught, "campaign")[0][2]
    assert begun["lessons"] == digest_of(lessons)
    assert "lessons" not in told(alone, "campaign")[0][2], "as before there were any"


def test_lessons_are_the_scores_where_conditions_agree(first: Campaign, tmp_path: Path) -> None:
    taught = campaign(tmp_path, "taught", first.folder, seed=8, stop={"generations": 1})
    run(taught)
    with Journal(first.folder / FILE_NAME, read_only=True) as journal:
        candidates = read_history(journal).candidates
    expected = {
        key: (record.highest.rung, record.highest.evaluation.score)
        for key, record in candidates.items()
        if not record.is_baseline and record.highest is not None
    }
    lessons = lessons_of(taught)
    assert {each.candidate_id: (each.rung, each.score) for each in lessons} == expected
    order = [(each.rung, each.score) for each in lessons]
    assert order == sorted(order, reverse=True)

    longer = {"rungs": [{"steps": 40, "seeds": 2}, {"steps": 99, "seeds": 2}]}
    partly = campaign(tmp_path, "partly", first.folder, scoring=longer, stop={"generations": 1})
    run(partly)
    upper = {key: score for key, (rung, score) in expected.items() if rung == 1}
    assert {each.candidate_id: each.score for each in lessons_of(partly)} == upper
    assert {each.rung for each in lessons_of(partly)} == {0}


@pytest.mark.parametrize(
    "changes",
    [
        {"scoring": {"rungs": [{"steps": 21}]}},
        {"scoring": {"first_seed": 5}},
        {"scoring": {"schedule": "constant"}},
        {"scoring": {"learning_rates": [0.001, 0.002]}},
        {"task": "digits-mlp@0.01"},
    ],
    ids=["steps", "seeds", "recipe", "rates", "task"],
)
def test_of_other_conditions_nothing_is_learnt(
    first: Campaign, tmp_path: Path, changes: dict[str, Any]
) -> None:
    said: list[str] = []
    taught = campaign(
        tmp_path, "taught", first.folder, said=said.append, stop={"generations": 1}, **changes
    )
    run(taught)
    assert lessons_of(taught) == ()
    assert any("nothing is learnt, since no function there was scored as" in s for s in said)


def test_over_several_tasks_and_rates_all_of_them_must_agree(tmp_path: Path) -> None:
    several = {"tasks": ["digits-mlp", "breast-cancer-mlp"], "learning_rates": [0.001, 0.003]}
    given = {"scoring": several, "stop": {"generations": 1}}
    earlier = campaign(tmp_path / "runs", "earlier", **given)
    taught = campaign(tmp_path / "runs", "taught", tmp_path / "runs", seed=8, **given)
    fewer = campaign(
        tmp_path / "runs",
        "fewer",
        tmp_path / "runs",
        **(given | {"scoring": several | {"tasks": ["digits-mlp"]}}),
    )
    for each in (earlier, taught, fewer):
        run(each)
    scores = {
        key: payload["over_tasks"]["score"]
        for _, key, payload in told(earlier, "evaluation")
        if "over_tasks" in payload
    }
    lessons = lessons_of(taught)
    assert lessons
    assert all(scores[f"{each.candidate_id}@{each.rung}"] == each.score for each in lessons)
    assert lessons_of(fewer) == ()


def test_it_goes_on_to_the_same_end_without_what_it_has_learnt_from(
    first: Campaign, tmp_path: Path
) -> None:
    whole = campaign(tmp_path / "whole", "taught", first.folder, seed=8)
    run(whole)
    copied = tmp_path / "cut" / "first"
    shutil.copytree(first.folder, copied)
    cut = campaign(tmp_path / "cut", "taught", copied, seed=8)
    run(cut, on_generation=lambda summary: cut.stop())
    assert len(told(cut, "generation")) == 1
    shutil.rmtree(copied)
    run(campaign(tmp_path / "cut", "other", seed=9))  # a campaign more to learn from
    run(campaign(tmp_path / "cut", "taught", copied, seed=8))
    kinds = ("lesson", "candidate", "generation", "finished")
    assert told(cut, *kinds) == told(whole, *kinds)
    with Journal(cut.folder / FILE_NAME, read_only=True) as journal:
        begun = find_begun(journal)
    assert begun is not None
    assert begun.lessons == digest_of(lessons_of(whole))


def test_replicates_teach_each_other_nothing(first: Campaign, tmp_path: Path) -> None:
    shutil.copytree(first.folder, tmp_path / "first")
    taught = campaign(tmp_path, "taught", tmp_path, stop={"generations": 1})
    with mock.patch("search.executors.starting.ProcessPool", SimulatedPool):
        found = taught.replicate(2, progress=False)
    assert found.differences == {}
    second = Campaign.load(tmp_path / "taught-seed8")
    assert lessons_of(taught) == lessons_of(second)
    assert {each.campaign for each in lessons_of(second)} == {"first"}


def test_functions_to_start_from_come_before_what_was_learnt(
    first: Campaign, tmp_path: Path
) -> None:
    taught = campaign(
        tmp_path,
        "taught",
        first.folder,
        search={"start_from": ["x * erf(x + 0.1)"]},
        stop={"generations": 1},
    )
    run(taught)
    made_by = [p["variation"] for _, _, p in told(taught, "candidate") if p["origin"] != "baseline"]
    assert made_by[0] == "seed"
    assert set(made_by[1:]) <= {"forecast", "random"}


def test_what_cannot_be_learnt_from_is_said(first: Campaign, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no folder 'nowhere'; name a runs directory"):
        run(campaign(tmp_path, "taught", Path("nowhere")))
    said: list[str] = []
    runs = tmp_path / "runs"
    shutil.copytree(first.folder, runs / "first")
    (runs / "damaged").mkdir()
    (runs / "damaged" / FILE_NAME).write_bytes(b"no journal")
    taught = campaign(tmp_path, "taught", runs, said=said.append, stop={"generations": 1})
    run(taught)
    assert any(s.startswith(f"nothing is learnt from {runs / 'damaged'}: ") for s in said)
    assert lessons_of(taught)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"strategy": "genetic"}, "'genetic' has no model that could learn"),
        ({"strategy": "surrogate", "template": "x * _"}, "knows what is inside"),
        ({"strategy": "surrogate", "require": {"odd": True}}, "knows what is inside"),
    ],
)
def test_who_cannot_learn_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SearchSettings.model_validate({**settings, "learn_from": ["runs"]})
