"""What `start_from` means: an expression, or the folder of a campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grammars import load_grammar, parse
from search.settings import SettingsError
from search.strategies.starting_points import read_starting_points

from .battery import generations, texts


def test_a_folder_of_the_name_of_a_function_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("relu", "x * tanh(x)", "elsewhere"):
        (tmp_path / folder).mkdir()
        rows = "rank,expression,score\n1,x * erf(x),2.0\n"
        (tmp_path / folder / "hall_of_fame.csv").write_text(rows, encoding="utf-8")
    grammar = load_grammar("core")
    assert read_starting_points(["relu", "x * tanh(x)"], grammar) == [
        parse("relu(x)"),
        parse("x * tanh(x)"),
    ]
    for name in ("./relu", "./x * tanh(x)", "elsewhere", str(tmp_path / "relu")):
        assert read_starting_points([name], grammar) == [parse("x * erf(x)")]


def test_a_mistyped_folder_is_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "mnist").mkdir(parents=True)
    (tmp_path / "runs" / "mnist" / "hall_of_fame.csv").write_text("rank,expression\n")
    for text, words in (
        ("runs/mnits", r"no such folder; did you mean 'runs/mnist'\?"),
        ("runs/mnist/hall_of_fame.csv", "no such folder but a file; name its folder, 'runs/mnist'"),
        ("./nowhere", "no such folder; nor is it an expression"),
        ("~/mnist", "no such folder; nor is it an expression"),
        ("other runs/t", "no such folder; nor is it an expression"),
        ("sigmiod(x) / x", "unknown .*sigmiod.*; did you mean 'sigmoid'"),
    ):
        with pytest.raises(SettingsError, match=words):
            read_starting_points([text], load_grammar("core"))
    monkeypatch.chdir(tmp_path / "runs")
    with pytest.raises(SettingsError, match=r"no such folder; did you mean 'mnist'\?"):
        read_starting_points(["mnits"], load_grammar("core"))


def test_a_text_that_no_file_can_be_called_is_an_expression() -> None:
    long = " + ".join(f"0.5 * tanh(1.{digit:02} * x)" for digit in range(21))
    assert len(long) > 419
    grammar = load_grammar("core").model_copy(update={"max_size": 500, "max_depth": 50})
    assert read_starting_points([long], grammar) == [parse(long)]
    for text in ("a" * 300, "runs/" + "b" * 300, "c\0d"):
        with pytest.raises(SettingsError, match=r"cannot be used:\n.*(unknown|unexpected)"):
            read_starting_points([text], grammar)


def test_a_hall_of_fame_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    rows = b"\xef\xbb\xbfexpression,rank\r\nx * erf(x),1\r\n"
    (tmp_path / "hall_of_fame.csv").write_bytes(rows)
    assert read_starting_points([str(tmp_path)], load_grammar("core")) == [parse("x * erf(x)")]


@pytest.mark.parametrize(
    "settings",
    [
        {"strategy": "genetic"},
        {"strategy": "regularized_evolution"},
        {"strategy": "nsga2", "islands": 3},
        {"strategy": "genetic", "layers": "each"},
        {"strategy": "surrogate"},
        {"strategy": "surrogate", "template": "x * _"},
    ],
    ids=str,
)
def test_what_the_first_generation_has_no_room_for_comes_in_the_next(
    settings: dict[str, Any],
) -> None:
    named = [f"tanh({number / 20 + 0.3:g} * x)" for number in range(29)]
    chosen = {**settings, "immigrants": 0.0, "start_from": named, "count": 4}
    asked = generations(**chosen)
    assert [len(group) for group in asked] == [12] * 4
    given = [[each for each in group if each.is_given] for group in asked]
    assert [len(group) for group in given] == [12, 12, 5, 0]
    filled = settings.get("template", "_")
    texts_given = [str(each.expression) for group in given for each in group]
    assert sorted(texts_given) == sorted(filled.replace("_", text) for text in named)
    assert all(each.generation == number for number, group in enumerate(given) for each in group)
    assert texts(asked) == texts(generations(**chosen))
