"""The command where people sit: narrow and wide terminals, files, names, and where one begins."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from search.cli.app import app
from search.journal.journal import FILE_NAME, Journal
from search.settings import Settings, load_settings
from search.settings.shipped import campaign_path, shipped_campaigns
from search.settings.template import campaign_template, sections

CAMPAIGN = """
task = "digits-mlp"
seed = 7
[search]
population = 8
[scoring]
rungs = [{ steps = 20 }, { steps = 40, seeds = 2 }]
[tracking]
mlflow = false
[stop]
generations = 1
"""
BY_WIDTH = {
    60: ["rank", "expression", "score", "id"],
    80: ["rank", "expression", "score", "loss", "accuracy", "trained", "id"],
    120: ["rank", "expression", "origin", "score", "loss", "accuracy", "size", "trained", "id"],
}


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "search", *map(str, words)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs directory with two campaigns that have really trained."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "mine.toml").write_text(CAMPAIGN, encoding="utf-8")
    for name, seed in (("mine", 7), ("other", 8)):
        options = ("--set", f"name={name}", "--set", f"seed={seed}", "--workers", "1")
        done = run("launch", folder / "mine.toml", *options, "--runs-dir", folder / "runs")
        assert done.returncode == 0, done.stderr
        ending = done.stdout.partition("The best discovered is ")[2]
        verdict = re.search(r"^(Ahead of|No function beat) .*$", ending, re.MULTILINE)
        assert verdict is not None, "a launch ends with a verdict"
        commands = re.findall(r"^  actsearch (\w+) ", ending, re.MULTILINE)
        onwards = "export" if verdict[1] == "Ahead of" else "launch"
        assert commands == ["finals", onwards], "nothing is to be taken along that is not ahead"
    return folder / "runs"


@pytest.mark.parametrize("width", BY_WIDTH)
def test_columns_leave_one_by_one_and_their_legend_with_them(runs: Path, width: int) -> None:
    shown = run("leaderboard", "mine", "--runs-dir", runs, COLUMNS=str(width)).stdout
    assert max(map(len, shown.splitlines())) <= width, "COLUMNS holds where nobody sees a terminal"
    heading = next(line for line in shown.splitlines() if "rank" in line)
    assert heading.split() == BY_WIDTH[width]
    assert ("trained: steps x" in shown) == ("trained" in BY_WIDTH[width])
    words = " ".join(shown.split())
    missing = [name for name in BY_WIDTH[120] if name not in BY_WIDTH[width]]
    assert (f"No room for {', '.join(missing)}; --csv has them." in words) == bool(missing)
    assert "\x1b" not in shown


def test_colours_are_for_those_who_want_them(runs: Path) -> None:
    coloured = run("leaderboard", "mine", "--runs-dir", runs, FORCE_COLOR="1", COLUMNS="80")
    assert "\x1b[36m" in coloured.stdout
    plain = run("leaderboard", "mine", "--runs-dir", runs, FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[36m" not in plain.stdout


def test_values_come_with_commas_too(runs: Path) -> None:
    shown = run("leaderboard", "mine", "--csv", "--runs-dir", runs).stdout
    rows = list(csv.DictReader(io.StringIO(shown)))
    same = json.loads(run("leaderboard", "mine", "--json", "--runs-dir", runs).stdout)
    assert [row["candidate_id"] for row in rows] == [row["candidate_id"] for row in same]
    assert [float(row["score"]) for row in rows] == [row["score"] for row in same]
    names = list(csv.DictReader(io.StringIO(run("tasks", "--csv").stdout)))
    assert "mnist-mlp" in [row["task"] for row in names]


CSV = {
    ("describe", "x * tanh(exp(x))"): {"expression": "x * tanh(exp(x))", "size": "5"},
    ("grammar", "list"): {"kind": "grammars", "name": "bingham2020"},
    ("grammar", "show", "tiny"): {"size": "1", "expressions": "1"},
}


@pytest.mark.parametrize("arguments", CSV, ids=" ".join)
def test_whatever_has_json_has_commas(arguments: tuple[str, ...]) -> None:
    first = next(csv.DictReader(io.StringIO(run(*arguments, "--csv").stdout)))
    assert {key: first[key] for key in CSV[arguments]} == CSV[arguments]


def test_no_command_has_json_alone() -> None:
    commands = [get_command(app)]
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        options = {option for parameter in command.params for option in parameter.opts}
        assert ("--json" in options) == ("--csv" in options), command.name


def test_campaigns_are_compared(runs: Path) -> None:
    shown = run("compare", "mine", "other", "--runs-dir", runs).stdout
    for title in ("What they came to", "Settings that differ", "Shared leaderboard"):
        assert f"\n{title}\n" in f"\n{shown}"
    assert re.search(r"^ +seed +7 +8 *$", shown, flags=re.MULTILINE)
    document = json.loads(run("compare", "mine", "other", "--json", "--runs-dir", runs).stdout)
    assert document["differences"] == {"seed": [7, 8]}
    assert [each["name"] for each in document["campaigns"]] == ["mine", "other"]
    alone = run("compare", "mine", "--runs-dir", runs)
    assert (alone.returncode, "at least two" in alone.stderr) == (2, True)


def test_what_there_is_is_listed(runs: Path) -> None:
    rows = json.loads(run("campaigns", "--json", "--runs-dir", runs).stdout)
    assert [row["campaign"] for row in rows] == ["mine", "other", *shipped_campaigns()]
    with Journal(runs / "mine" / FILE_NAME, read_only=True) as journal:
        assert rows[0]["trainings"] == sum(1 for _ in journal.events("evaluation")) - sum(
            event.payload["outcome"] == "rejected" for event in journal.events("evaluation")
        )
    assert (rows[0]["state"], rows[-1]["state"]) == ("ended", "shipped")
    strategies = json.loads(run("strategies", "--json").stdout)
    assert {"genetic", "surrogate"} <= {row["strategy"] for row in strategies}
    assert all(row["what it does"] for row in strategies)


def test_a_shipped_campaign_is_launched_by_its_name(tmp_path: Path) -> None:
    assert set(shipped_campaigns()) == {"beyond-relu", "mnist", "quickstart", "tradeoffs"}
    own = tmp_path / "quickstart"
    assert campaign_path("quickstart").name == "quickstart.toml"
    own.write_text("seed = 3", encoding="utf-8")
    assert campaign_path(own) == own, "a file comes first"
    refused = run("launch", "quickstrat")
    assert refused.returncode == 2
    assert "did you mean 'quickstart'?" in refused.stderr


def test_a_campaign_file_to_start_from_says_every_setting(tmp_path: Path) -> None:
    made = run("init", tmp_path / "first.toml", "--task", "digits-mlp")
    assert made.returncode == 0, made.stderr
    settings = load_settings(tmp_path / "first.toml")
    assert (settings.task, settings.name, settings.seed) == ("digits-mlp", "first", 1)
    again = run("init", tmp_path / "first.toml")
    assert (again.returncode, "--force" in again.stderr) == (2, True)
    assert run("init", tmp_path / "second.toml", "--task", "digts-mlp").returncode == 2


def test_what_a_template_shows_as_comments_are_the_defaults() -> None:
    text = campaign_template()
    shown = re.sub(r"^# (?=\w+ = [^\s]|\[[a-z.]+\]$)", "", text, flags=re.MULTILINE)
    shown = shown.replace('name = "..."', 'name = "mine"')
    document = tomllib.loads(shown)
    document["watch"]["tasks"] = ["digits-mlp"]  # which has no default
    unset = {"finals": {}, "polish": {}, "watch": {"tasks": ["digits-mlp"]}}
    plain = tomllib.loads(text) | {"name": "mine"} | unset
    plain["search"]["require"] = {}
    # What requires nothing is refused, and so is told apart from what is left out.
    assert document["search"].pop("require") == plain["search"].pop("require")
    assert Settings.model_validate(document) == Settings.model_validate(plain)


def test_a_template_names_every_setting_of_every_section() -> None:
    parts = re.split(r"^(?:# )?\[([a-z.]+)\]$", campaign_template(), flags=re.MULTILINE)
    texts = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    assert list(texts) == ["", *(each.name for each in sections())]
    optional = {each.name for each in sections() if each.is_optional}
    assert optional == {"search.require", "watch", "polish", "finals"}
    for each in sections():
        inner = {other.name.rpartition(".")[2] for other in sections(each.model)}
        for name in each.model.model_fields.keys() - inner:
            pattern = rf"^(# )?{name} ="
            assert re.search(pattern, texts[each.name], flags=re.MULTILINE), f"{each.name}.{name}"


def test_it_says_its_version_and_helps_in_short() -> None:
    assert re.fullmatch(r"actsearch \d+\.\d+\.\d+\S*\n", run("--version").stdout)
    for words in ([], ["launch"], ["grammar", "list"]):
        assert run(*words, "-h").stdout == run(*words, "--help").stdout != ""
    assert "--install-completion" in run("-h").stdout
