"""A journal goes on only for the campaign that began it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluators.datasets import load
from grammars import load_grammar, parse
from search.identity import identify
from search.journal import FILE_NAME, Journal
from search.settings import Settings, SettingsError


def launch(folder: Path, *, seeds: Sequence[str] = (), **changes: object) -> None:
    settings = Settings.model_validate({"name": "mine", "task": "digits-mlp", **changes})
    with Journal(folder / FILE_NAME) as journal:
        identify(
            journal,
            settings,
            grammar=load_grammar(settings.grammar),
            dataset=load("digits"),
            seeds=[parse(text) for text in seeds],
            campaign_file="",
        )


def test_the_same_campaign_goes_on_and_may_have_another_end(tmp_path: Path) -> None:
    launch(tmp_path, seeds=["x * erf(x)"])
    launch(tmp_path, seeds=["x * erf(x)"], stop={"generations": 99}, description="longer")
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        (recorded,) = journal.events("campaign")
    assert recorded.payload["seeds"] == ["x * erf(x)"]
    assert recorded.payload["settings"]["description"] != "longer"


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
