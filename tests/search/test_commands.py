"""What people are told to type can be typed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from search.texts.commands import command

ODD = ["my runs", "it's", 'a "b"', "$HOME", "a;b", "per%20cent", "what?", "#1", "new\nline", "ü"]


@pytest.mark.parametrize("name", ODD)
def test_every_word_arrives_as_it_was_meant(tmp_path: Path, name: str) -> None:
    told = command("finals", name, "--tasks", "a, b", runs_dir=tmp_path / name)
    words = ["actsearch", "finals", name, "--tasks", "a, b", "--runs-dir", str(tmp_path / name)]
    assert shlex.split(told) == words


def test_where_commands_look_by_themselves_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for same in (None, Path("runs"), tmp_path / "runs"):
        assert command("sync", "demo", runs_dir=same) == "actsearch sync demo"
    assert command("sync", "demo", runs_dir=Path("other")) == "actsearch sync demo --runs-dir other"
