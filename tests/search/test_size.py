"""A search may be bound to smaller functions than its grammar allows."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from actsearch import Campaign, Site
from grammars import parse
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.settings import SettingsError

from .here import SimulatedPool


def campaign(runs_dir: Path, *, largest: int | None, grammar: str = "core") -> Campaign:
    return Campaign(
        {"seed": 3, "task": "digits-mlp", "grammar": grammar, "tracking": {"mlflow": False}},
        name="small",
        search={"population": 40, "max_size": largest},
        scoring={"rungs": [{"steps": 10}]},
        stop={"generations": 3},
        site=Site(runs_dir, announce=lambda text: None),
    )


def largest_found(which: Campaign) -> int:
    with mock.patch("search.executors.starting.ProcessPool", SimulatedPool):
        which.run(progress=False)
    with Journal(which.folder / FILE_NAME, read_only=True) as journal:
        found = [each.candidate for each in read_history(journal).candidates.values()]
    return max(parse(each.text).size for each in found if each.origin == "discovered")


def test_nothing_larger_is_bred(tmp_path: Path) -> None:
    assert largest_found(campaign(tmp_path / "bound", largest=5)) == 5
    assert largest_found(campaign(tmp_path / "free", largest=None)) > 5


@pytest.mark.parametrize(
    ("grammar", "largest", "said"),
    [
        ("core", 21, "the grammar 'core' allows 20 nodes, got 21"),
        ("bingham2020", 0, "greater than or equal to 1"),
    ],
)
def test_a_size_that_cannot_be_had_is_refused(
    tmp_path: Path, grammar: str, largest: int, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        campaign(tmp_path, largest=largest, grammar=grammar).run(progress=False)
    assert not (tmp_path / "small" / FILE_NAME).exists()


def test_a_grammar_that_can_write_nothing_so_small_is_refused(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "grammars" / "core.toml"
    own = tmp_path / "own.toml"
    own.write_text('root = "mul"\n' + shipped.read_text())
    with pytest.raises(SettingsError, match="within 2 nodes the grammar 'core' cannot be used"):
        campaign(tmp_path, largest=2, grammar=str(own)).run(progress=False)
