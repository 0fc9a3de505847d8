"""Tables on narrow terminals: what counts stays whole, and what is left out is named."""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from search.cli.finals_tables import print_own, print_transfers
from search.cli.tables import Column, fitting, missing, print_columns, print_figures, print_table
from search.finals import Finals, hold
from search.history import Plan

from .finals_simulation import SimulatedTraining, journal_in, plan_of
from .here import captured, launched

LONG = 'param("a", 1.39, per="channel") * sin(x * param("b", 1.75, per="channel"))'
NAMES = ("a-campaign-of-many-letters", "one-more-of-those-campaigns")
SEVERAL = 'scoring.tasks=["digits-mlp", "breast-cancer-mlp"]'
DESCRIBED = 'description="Looks for a function in a moment, on data that come with scikit-learn."'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two campaigns with long names, and two over several tasks."""
    folder = tmp_path_factory.mktemp("tables") / "runs"
    for seed, name in enumerate(NAMES, 7):
        launched(folder, name, f"seed={seed}", DESCRIBED)
    launched(folder, "plain", SEVERAL, DESCRIBED)
    launched(folder, "rated", SEVERAL, DESCRIBED, "scoring.learning_rates=[0.001, 0.003]")
    return folder


def words(text: str) -> str:
    return " ".join(text.split())


def test_what_is_worth_least_leaves_and_is_named() -> None:
    columns = [
        Column("id", ("867273bb",)),
        Column("expression", (LONG,), "anywhere"),
        Column("score", ("11.6671",), leaves=2),
        Column("rate", ("0.00145",), leaves=1),
    ]
    for width, names in ((53, []), (52, ["rate"]), (42, ["score", "rate"])):
        shown = fitting(columns, width)
        assert [each.heading for each in columns if each not in shown] == names
    assert missing(columns, columns) == ""
    assert missing(columns, columns[:3]) == "No room for rate; --csv has it."
    assert missing(columns, columns[:2]) == "No room for score, rate; --csv has them."


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_longest_text_yields_and_no_number_breaks(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    numbers = ("867273bb", "+11.6671")
    columns = [Column(f"of {number}", (number,)) for number in numbers]
    print_columns([*columns, Column("expression", (LONG,), "anywhere")])
    shown = capsys.readouterr().out
    assert all(number in shown for number in numbers)
    assert max(map(len, shown.splitlines())) <= width
    start = next(line.index("expression") for line in shown.splitlines() if "expression" in line)
    below = shown.partition("─ \n")[2]
    assert " ".join(line[start:].strip() for line in below.splitlines()).strip() == LONG


def test_columns_that_stay_go_on_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    names = [f"campaign-with-a-long-name-{number}" for number in range(3)]
    print_table("Beside each other", (("", *names), ("score", "0.1234", "0.2345", "0.3456")))
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)
    assert shown.count("score") == 3


@pytest.mark.parametrize("width", [60, 120])
def test_figures_stand_below_whole_headings(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    headings = ("steps", "noise of accuracy", "reliability", "Spearman with last", "best quarter")
    rows = (
        ("400", "0.25 points", "0.9", "0.88", "9 %"),
        ("1,600", "10.12 points", "0.97", "1.00", "93 %"),
    )
    print_figures("mnist-mlp, 1,197 functions", (headings, *rows))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mnist-mlp, 1,197 functions"
    assert max(map(len, lines)) <= width
    rule = next(number for number, line in enumerate(lines) if "─" in line)
    assert {*" ".join(lines[1:rule]).split()} == {*" ".join(headings).split()}
    first, second = lines[rule + 1 : rule + 3]
    for above, below in zip(*rows, strict=True):
        assert first.index(f" {above} ") + len(above) == second.index(f" {below} ") + len(below)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("command", ["atlas", "campaigns", "compare", "replicate"])
def test_ids_names_and_scores_are_whole(
    runs: Path, command: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    arguments = {"compare": NAMES, "replicate": (NAMES[0], "--show", "--seeds", "2")}
    answer = captured(command, *arguments.get(command, ()), "--runs-dir", runs)
    assert answer.status == 0, answer
    assert max(map(len, answer.stdout.splitlines())) <= width
    found = [*csv.DictReader(io.StringIO(captured("atlas", "--csv", "--runs-dir", runs).stdout))]
    if command == "atlas":
        assert all(row["candidate_id"][:8] in answer.stdout for row in found)
        assert all(f"{float(row['score']):.4f}" in answer.stdout for row in found)
    elif command != "replicate" or "No room for campaign" not in words(answer.stdout):
        assert all(name in answer.stdout for name in NAMES[: 1 if command == "replicate" else 2])


@pytest.mark.parametrize("width", [60, 80])
def test_no_bracket_of_a_description_is_lost(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = captured("describe", "gelu").stdout
    assert "…" not in shown
    latex = shown.partition("\nlatex")[2].partition("\nderivative")[0]
    assert latex.count("{") == latex.count("}") > 0
    assert latex.count(r"\left") == latex.count(r"\right") > 0


def test_a_leaderboard_with_commas_has_what_found_no_room(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name, has_rates in (("plain", False), ("rated", True)):
        shown = words(captured("leaderboard", name, "--runs-dir", runs).stdout)
        assert "breast-cancer-mlp, loss" in shown.partition("No room for ")[2]
        assert ("with the rate" in shown) == ("own best learning rate" in shown) == has_rates
        text = captured("leaderboard", name, "--csv", "--runs-dir", runs).stdout
        row = next(csv.DictReader(io.StringIO(text)))
        assert float(row["score on breast-cancer-mlp"])
        assert row["advantage on breast-cancer-mlp"]
        assert ("learning rate on breast-cancer-mlp" in row) == has_rates


def finals_in(folder: Path, *, rivals: int) -> Finals:
    plan: Plan = plan_of(["x * erf(x)", LONG.replace('param("a", 1.39, per="channel")', "2")])
    more = [e.key for e in plan.entrants if e.role == "baseline" and e.key not in plan.rivals]
    plan = replace(plan, rivals=(*plan.rivals, *more)[:rivals])
    training = SimulatedTraining({"x * erf(x)": 0.5})
    with journal_in(folder) as journal:
        return hold(plan, journal, open_executor=training.open, stopping=threading.Event())


@pytest.mark.parametrize("rivals", [1, 3, 4])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_rival_of_finals_is_shown_with_its_difference(
    tmp_path: Path,
    rivals: int,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    finals = finals_in(tmp_path / "run", rivals=rivals)
    explanation = print_own(finals, title="mine")
    own = capsys.readouterr().out
    print_transfers(finals)
    elsewhere = capsys.readouterr().out
    assert max(map(len, (own + elsewhere).splitlines())) <= width
    assert len(finals.plan.rivals) == rivals
    for card, shown in ((finals.own, own), *((each, elsewhere) for each in finals.cards)):
        for finalist in finals.plan.finalists:
            for each in card.comparisons_of(finalist.candidate_id):
                assert each.difference is not None
                assert finals.plan.titles[each.rival] in shown
                assert f"{each.difference:+.2f}" in shown
    has_intervals = "[" in own
    assert ("The interval is" in explanation) == has_intervals
    assert has_intervals == (rivals <= 3 and (width > 60 or rivals == 1))
