"""The command as a user runs it: in a process of its own, with real workers and a real store."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from search.journal.journal import FILE_NAME, Journal

from .store import MEASURED

CAMPAIGN = """
description = "Small, on embedded data."
seed = 5
task = "digits-mlp"

[search]
population = 6

[scoring]
rungs = [{ steps = 40, seeds = 1 }, { steps = 80, seeds = 2 }]
reduction_factor = 3.0
batch = 8

[stop]
generations = 2
"""


def actsearch(
    *arguments: str | Path, cwd: Path | None = None, timeout: float = 240.0
) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "search", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=timeout,
        check=False,
    )


def events(folder: Path) -> list[tuple[str, str, Any]]:
    """A journal without what tells of the machine, and of how often it was launched."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        rows = [(event.kind, event.key, dict(event.payload)) for event in journal.events()]
    for _, _, payload in rows:
        for measured in MEASURED:
            payload.pop(measured, None)
    return [row for row in rows if row[0] not in ("campaign", "work")]


@pytest.fixture(scope="module")
def campaign_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("campaigns") / "small.toml"
    path.write_text(CAMPAIGN)
    return path


@pytest.fixture(scope="module")
def launched(
    campaign_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A runs directory with one finished campaign, and how launching it ended."""
    runs = tmp_path_factory.mktemp("runs")
    return runs, actsearch("launch", campaign_file, "--runs-dir", runs)


def test_launching_ends_with_a_leaderboard_and_says_where_everything_is(
    launched: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    runs, result = launched
    assert result.returncode == 0, result.stderr
    assert "Leaderboard of small" in result.stdout
    assert "relu" in result.stdout
    assert "discovered" in result.stdout
    assert f"actsearch dashboard --runs-dir {runs}" in result.stdout
    assert "2 generations are done" in result.stdout
    assert result.stderr.count("generation ") == 2
    assert "Traceback" not in result.stderr
    assert {path.name for path in (runs / "small").iterdir()} >= {
        "campaign.toml",
        "front.png",
        "hall_of_fame.csv",
        FILE_NAME,
    }
    assert not (runs / "small" / "states").exists()
    assert (runs / "mlflow.db").is_file()


def test_launching_again_reports_instead_of_repeating(
    launched: tuple[Path, subprocess.CompletedProcess[str]], campaign_file: Path
) -> None:
    runs, first = launched
    before = events(runs / "small")
    again = actsearch("launch", campaign_file, "--runs-dir", runs)
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert events(runs / "small") == before


def test_other_settings_under_the_same_name_are_refused(
    launched: tuple[Path, subprocess.CompletedProcess[str]], campaign_file: Path
) -> None:
    runs, _ = launched
    result = actsearch("launch", campaign_file, "--runs-dir", runs, "--set", "seed=6")
    assert result.returncode == 2
    assert "settings.seed: was 5, is 6" in result.stderr
    assert "--set name=small-2" in result.stderr


def test_the_leaderboard_in_json_holds_what_is_promised(
    launched: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    runs, _ = launched
    result = actsearch("leaderboard", "small", "--top", "100", "--json", "--runs-dir", runs)
    rows = json.loads(result.stdout)
    promised = {
        *("rank", "candidate_id", "expression", "origin", "score", "validation_loss"),
        *("validation_accuracy", "size", "depth", "steps", "seeds"),
    }
    assert all(promised <= row.keys() for row in rows)
    assert {row["origin"] for row in rows} == {"discovered", "baseline"}
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    keys = [(row["steps"], row["score"]) for row in rows]
    assert keys == sorted(keys, reverse=True)


def test_an_absent_campaign_lists_those_there_are(
    launched: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    runs, _ = launched
    result = actsearch("leaderboard", "smal", "--runs-dir", runs)
    assert result.returncode == 2
    assert "did you mean 'small'? campaigns there: small" in result.stderr
    assert result.stdout == ""


def test_a_runs_directory_that_is_a_file_is_named(campaign_file: Path) -> None:
    result = actsearch("launch", campaign_file, "--runs-dir", campaign_file)
    assert result.returncode == 2
    assert f"{campaign_file / 'small'} cannot be used: Not a directory" in result.stderr


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(
    launched: tuple[Path, subprocess.CompletedProcess[str]], campaign_file: Path, tmp_path: Path
) -> None:
    runs, _ = launched
    command = ["launch", campaign_file, "--runs-dir", tmp_path, "--set", "tracking.mlflow=false"]
    process = subprocess.Popen(
        [sys.executable, "-m", "search", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    journal = tmp_path / "small" / FILE_NAME
    while process.poll() is None and not _evaluations(journal):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "stopping after the running batch" in stderr
    assert f"It goes on with: actsearch {shlex.join(map(str, command))}\n" in stderr
    assert "Traceback" not in stderr
    assert "The campaign ended: stopped on request" in stdout
    assert "MLflow" not in stdout
    again = actsearch(*command)
    assert again.returncode == 0
    assert "resuming: " in again.stderr
    assert events(tmp_path / "small") == events(runs / "small")


def _evaluations(journal: Path) -> int:
    try:
        with Journal(journal, read_only=True) as reader:
            return sum(1 for _ in reader.events("evaluation"))
    except FileNotFoundError:
        return 0


def test_a_second_launch_of_a_running_campaign_is_refused(
    campaign_file: Path, tmp_path: Path
) -> None:
    command = ["launch", campaign_file, "--runs-dir", tmp_path, "--set", "tracking.mlflow=false"]
    first = subprocess.Popen(
        [sys.executable, "-m", "search", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        journal = tmp_path / "small" / FILE_NAME
        while first.poll() is None and not journal.is_file():
            time.sleep(0.05)
        second = actsearch(*command)
    finally:
        first.kill()
        first.wait()
    assert second.returncode == 2
    assert "is running in another process" in second.stderr


def test_evaluate_scores_rejects_and_scores_equals_once() -> None:
    result = actsearch(
        *("evaluate", "relu", "max(x, 0)", "identity", "sqrt(x)", "swish"),
        *("--task", "digits-mlp", "--steps", "60", "--seeds", "2", "--json"),
    )
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)
    promised = {
        *("expression", "canonical", "outcome", "reason", "validation_loss"),
        *("validation_accuracy", "per_seed", "seconds"),
    }
    assert all(promised <= row.keys() for row in rows)
    assert [row["outcome"] for row in rows] == [
        "scored",
        "scored",
        "rejected",
        "rejected",
        "scored",
    ]
    relu, same = rows[0], rows[1]
    assert (relu["canonical"], relu["per_seed"]) == (same["canonical"], same["per_seed"])
    assert 0.0 < relu["diagnostics"]["output_sparsity"] < 1.0
    assert rows[2]["diagnostics"] is None
    assert "affine" in rows[2]["reason"]
    assert "not finite" in rows[3]["reason"]


def test_a_mistyped_expression_gets_a_caret_and_a_hint() -> None:
    result = actsearch("evaluate", "x * sigmiod(x)", "--task", "digits-mlp")
    assert result.returncode == 2
    assert "did you mean 'sigmoid'?\n  x * sigmiod(x)\n      ^" in result.stderr
    assert result.stdout == ""


def test_plot_writes_a_picture(tmp_path: Path) -> None:
    output = tmp_path / "functions.png"
    result = actsearch("plot", "swish", "x * tanh(x)", "--output", output)
    assert result.returncode == 0, result.stderr
    assert output.read_bytes().startswith(b"\x89PNG")
    assert result.stdout.strip() == str(output)


def test_describe_in_json_holds_what_is_promised(tmp_path: Path) -> None:
    picture = tmp_path / "swish.png"
    result = actsearch("describe", "x * sigmoid(x)", "--json", "--plot", picture)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    promised = {
        *("expression", "canonical", "id", "size", "depth", "latex", "derivative"),
        *("known_as", "relatives", "properties"),
    }
    assert promised <= document.keys()
    assert "swish" in json.dumps(document["known_as"])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_curves_are_made_judged_and_used(tmp_path: Path) -> None:
    file = tmp_path / "digits.json"
    asked = ("--task", "digits-mlp", "--functions", 20, "--steps", "10,40,80", "--json")
    made = actsearch("curves", file, *asked, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    judged = json.loads(made.stdout)
    assert [row["steps"] for row in judged["forecasts"]] == [0, 10, 40]
    assert judged["recommended"]["cost"] > 0.0
    written = file.read_bytes()
    again = actsearch("curves", file, *asked, cwd=tmp_path)
    assert json.loads(again.stdout) == judged
    assert file.read_bytes() == written
    campaign = tmp_path / "screened.toml"
    scoring = f'[scoring]\nforecast = "{file}"\nscreening = 0.5'
    campaign.write_text(CAMPAIGN.replace("[scoring]", scoring), encoding="utf-8")
    launched = actsearch("launch", campaign, "--runs-dir", tmp_path / "runs")
    assert launched.returncode == 0, launched.stderr
    outcomes = [
        (payload["outcome"], payload["reason"] or "")
        for kind, _, payload in events(tmp_path / "runs" / "screened")
        if kind == "evaluation"
    ]
    assert any(how == "rejected" and "screened out" in why for how, why in outcomes)
    assert any(how == "scored" for how, _ in outcomes)


def test_grammars_are_listed_and_shown() -> None:
    assert "bingham2020" in actsearch("grammar", "list").stdout
    shown = actsearch("grammar", "show", "tiny")
    assert shown.returncode == 0, shown.stderr
    assert "samples:" in shown.stdout


def test_the_best_function_leaves_as_a_file(
    launched: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    runs, _ = launched
    output = tmp_path / "best.py"
    result = actsearch(
        *("export", "small", "--to", "jax", "--output", output, "--name", "best"),
        *("--runs-dir", runs),
    )
    assert result.returncode == 0, result.stderr
    text = output.read_text()
    assert "def best(" in text
    assert "small" in text
    assert "import search" not in text
    assert "import grammars" not in text
    assert (tmp_path / "verification.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["launch", "absent.toml"], "there is no campaign file absent.toml"),
        (["evaluate", "relu", "--task", "mnist-mpl"], "did you mean 'mnist-mlp'"),
        (["data", "prepare", "minst"], "mnist"),
        (["plot", "relu", "--output", "picture.xyz"], "cannot write a picture as 'picture.xyz'"),
        (["grammar", "show", "coer"], "did you mean 'core'"),
        (["export", "--expression", "relu", "--to", "jaxx"], "jax"),
        (["export", "--to", "jax"], "name a CAMPAIGN, or a function by --expression"),
        (["leaderboard", "x", "--runs-dir", "nowhere"], "there is no folder nowhere; name the"),
        (["curves", "mnist-mpl"], "did you mean 'mnist-mlp'"),
    ],
)
def test_mistakes_are_explained_without_a_traceback(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = actsearch(*arguments, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_help_does_not_wait_for_jax_or_mlflow() -> None:
    code = (
        "import sys; from search.cli.app import app; "
        "from typer.testing import CliRunner; "
        "result = CliRunner().invoke(app, ['--help']); "
        "heavy = {'jax', 'mlflow', 'sympy', 'matplotlib'} & set(sys.modules); "
        "print(result.exit_code, sorted(heavy))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "0 []"
