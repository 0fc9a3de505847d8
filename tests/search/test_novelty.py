"""What is said of a discovery's novelty."""

from __future__ import annotations

import csv
import threading
from pathlib import Path

import pytest

from evaluators.evaluation.evaluation import Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from grammars import parse, parse_activation
from search.candidates.candidate import Candidate
from search.candidates.hall_of_fame import FILE_NAME, HallOfFame
from search.candidates.novelty import novelty
from search.candidates.novelty_watch import NoveltyWatch
from search.candidates.racing import Standing

from .simulation import BENCH


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sigmoid(x) * x", "known as swish"),
        ("0.5 * x * sigmoid(2 * x)", "relative of swish: 0.25 * swish(2 * x)"),
        ("max(x, tanh(x)) - x * cos(x)", "not in the catalogue"),
        ("[sigmoid(x) * x, tanh(x)]", "first: known as swish; last: known as tanh"),
    ],
)
def test_a_function_is_known_related_or_new(text: str, said: str) -> None:
    assert novelty(parse_activation(text)) == said


def standing(text: str) -> Standing:
    expression = parse(text)
    candidate = Candidate.of(expression, generation=0)
    record = BENCH.record(
        expression,
        Fidelity(1, (0,)),
        Outcome.SCORED,
        per_seed=(SeedResult(0, 1.0 + expression.size, 0.5),),
    )
    return Standing(candidate, 0, record)


def novelties(folder: Path) -> dict[str, str]:
    with (folder / FILE_NAME).open(encoding="utf-8", newline="") as file:
        return {row["expression"]: row["novelty"] for row in csv.DictReader(file)}


def test_every_hall_of_fame_entry_says_whether_it_is_new(tmp_path: Path) -> None:
    hall_of_fame = HallOfFame()
    hall_of_fame.add([standing("x * sigmoid(x)"), standing("max(x, tanh(x)) - x * cos(x)")])
    hall_of_fame.write(tmp_path)
    assert set(novelties(tmp_path).values()) == {""}, "it is written before anybody has looked"
    with NoveltyWatch(hall_of_fame, tmp_path) as watch:
        watch.close(complete=True)
    assert novelties(tmp_path) == {
        "x * sigmoid(x)": "known as swish",
        "max(x, tanh(x)) - x * cos(x)": "not in the catalogue",
    }


def test_while_the_search_goes_on_its_best_alone_are_looked_up(tmp_path: Path) -> None:
    hall_of_fame, text = HallOfFame(), "x"
    for _ in range(7):  # the longer, the worse
        text = f"sin({text} + 1)"
        hall_of_fame.add([standing(text)])
    stopping = threading.Event()
    assert hall_of_fame.look_up_novelty(stopping=stopping, of=5)
    hall_of_fame.write(tmp_path)
    assert list(map(bool, novelties(tmp_path).values())) == [True] * 5 + [False] * 2
    with NoveltyWatch(hall_of_fame, tmp_path) as watch:
        watch.close(complete=True)
    assert all(novelties(tmp_path).values())


def test_a_watch_that_is_cut_short_leaves_the_rest_unsaid(tmp_path: Path) -> None:
    hall_of_fame = HallOfFame()
    hall_of_fame.add([standing("x * sigmoid(x)")])
    hall_of_fame.write(tmp_path)
    with NoveltyWatch(hall_of_fame, tmp_path):
        pass
    assert novelties(tmp_path)["x * sigmoid(x)"] in ("", "known as swish")
