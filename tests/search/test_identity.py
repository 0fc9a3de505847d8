"""A journal goes on only for the campaign that began it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.datasets import load
from evaluators.recipes.recipe import Recipe
from evaluators.tasks import Task, find_task, task_known_by_name
from grammars import load_grammar, parse
from search.executors.site import Site
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.identity import identify, recorded_task, settings_in_force, task_finder
from search.launching.preparing import prepare
from search.settings import Settings, SettingsError


def launch(
    folder: Path,
    *,
    seeds: Sequence[str] = (),
    task: Task | None = None,
    campaign_file: str = "",
    **changes: object,
) -> None:
    settings = Settings.model_validate({"name": "mine", "task": "digits-mlp", **changes})
    with Journal(folder / FILE_NAME) as journal:
        identify(
            journal,
            settings,
            task=task or find_task(settings.task),
            grammar=load_grammar(settings.grammar),
            dataset=load("digits"),
            seeds=[parse(text) for text in seeds],
            campaign_file=campaign_file,
        )


def test_the_same_campaign_goes_on_and_may_have_another_end(tmp_path: Path) -> None:
    launch(tmp_path, seeds=["x * erf(x)"])
    launch(tmp_path, seeds=["x * erf(x)"], stop={"generations": 99}, description="longer")
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        (recorded,) = journal.events("campaign")
    assert recorded.payload["seeds"] == ["x * erf(x)"]
    assert recorded.payload["settings"]["description"] != "longer"


def test_the_settings_of_the_last_launch_are_in_force(tmp_path: Path) -> None:
    launch(tmp_path)
    for generations in (20, 20, 30, 20):
        launch(tmp_path, stop={"generations": generations})
        with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
            history = read_history(journal)
            events = [event.key for event in journal.events()]
        assert settings_in_force(history).stop.generations == generations
        assert settings_in_force(history).task == "digits-mlp"
    # What is the same as before is no event.
    assert events == ["settings", "0002", "0003", "0004"]


def test_the_text_of_the_last_campaign_file_is_in_force(tmp_path: Path) -> None:
    launch(tmp_path)
    launch(tmp_path, campaign_file="# better explained\n")
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        record = read_history(journal).launch
    assert record is not None
    assert record.campaign_file == "# better explained\n"


def test_a_journal_without_a_launch_has_no_settings(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / FILE_NAME) as journal,
        pytest.raises(SettingsError, match="does not begin with the settings of a campaign"),
    ):
        settings_in_force(read_history(journal))


def test_another_seed_is_another_campaign(tmp_path: Path) -> None:
    launch(tmp_path)
    with pytest.raises(SettingsError, match=r"settings.seed: was 0, is 5\n.*--set name=mine-2"):
        launch(tmp_path, seed=5)


def test_what_start_from_came_to_is_part_of_a_campaign(tmp_path: Path) -> None:
    launch(tmp_path, seeds=["x * erf(x)"])
    with pytest.raises(SettingsError, match=r"seeds: was \['x \* erf\(x\)'\], is \['tanh\(x\)'\]"):
        launch(tmp_path, seeds=["tanh(x)"])


def test_a_setting_that_is_younger_than_the_journal_has_its_default_there(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    launch(tmp_path / "new")
    with Journal(tmp_path / "new" / FILE_NAME, read_only=True) as journal:
        recorded = dict(journal.get("campaign", "settings") or {})
    search = {k: v for k, v in recorded["settings"]["search"].items() if k != "layers"}
    recorded["settings"] = {**recorded["settings"], "search": search}
    with Journal(tmp_path / "old" / FILE_NAME) as journal:
        journal.append("campaign", "settings", recorded)
    launch(tmp_path / "old")
    with pytest.raises(SettingsError, match=r"search\.layers: was 'shared', is 'each'"):
        launch(tmp_path / "old", search={"layers": "each"})


def known_by_name(folder: Path) -> None:
    """Makes a journal as they were before tasks were files."""
    folder.mkdir()
    launch(folder)
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        recorded = dict(journal.get("campaign", "settings") or {})
    (folder / FILE_NAME).unlink()
    del recorded["task"]
    with Journal(folder / FILE_NAME) as journal:
        journal.append("campaign", "settings", recorded)


def test_a_journal_that_knows_its_task_by_name_goes_on(tmp_path: Path) -> None:
    known_by_name(tmp_path / "old")
    launch(tmp_path / "old", task=task_known_by_name("digits-mlp"))
    with Journal(tmp_path / "old" / FILE_NAME, read_only=True) as journal:
        assert recorded_task(read_history(journal)) == task_known_by_name("digits-mlp")


def test_a_task_that_has_changed_since_is_told(tmp_path: Path) -> None:
    known_by_name(tmp_path / "old")
    changed = replace(task_known_by_name("digits-mlp"), recipe=Recipe(batch=32))
    with pytest.raises(SettingsError, match=r"task\.recipe\.batch: was 64, is 32\n"):
        launch(tmp_path / "old", task=changed)


def prepared(folder: Path, **changes: object) -> tuple[Task, list[str]]:
    """What a campaign in a folder would train now, and what it says."""
    settings = Settings.model_validate({"name": "old", "task": "digits-mlp", **changes})
    told: list[str] = []
    ready = prepare(settings, "", Site(runs_dir=folder, announce=told.append))
    return ready.tasks[0].used, told


def test_a_campaign_goes_on_with_the_shipped_task_of_its_time(tmp_path: Path) -> None:
    known_by_name(tmp_path / "old")
    task, told = prepared(tmp_path)
    assert task == task_known_by_name("digits-mlp")
    assert "the shipped task digits-mlp has changed since this campaign began" in told[-1]
    assert prepared(tmp_path / "elsewhere") == (find_task("digits-mlp"), [])


def test_names_in_the_finals_of_a_campaign_mean_what_they_did_when_it_began(
    tmp_path: Path,
) -> None:
    known_by_name(tmp_path / "old")
    (tmp_path / "new").mkdir()
    launch(tmp_path / "new")
    for name, expected in (("old", task_known_by_name), ("new", find_task)):
        with Journal(tmp_path / name / FILE_NAME, read_only=True) as journal:
            find = task_finder(read_history(journal))
        assert find("mnist1d-mlp") == expected("mnist1d-mlp")
        assert find("harmonics") == find_task("harmonics")


def test_what_a_task_says_is_part_of_a_campaign_and_where_its_file_lies_is_not(
    tmp_path: Path,
) -> None:
    text = '[data]\nbuiltin = "digits"\n[network]\nkind = "mlp"\nhidden = [8, 8]\n'
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "mine.toml").write_text(text)
    (tmp_path / "run").mkdir()
    launch(tmp_path / "run", task=find_task(str(tmp_path / "here" / "mine.toml")))
    launch(tmp_path / "run", task=find_task(str(tmp_path / "there" / "mine.toml")))
    (tmp_path / "here" / "mine.toml").write_text(text.replace("8, 8", "8, 16"))
    with pytest.raises(SettingsError, match=r"network\.hidden: was \[8, 8\], is \[8, 16\]"):
        launch(tmp_path / "run", task=find_task(str(tmp_path / "here" / "mine.toml")))
