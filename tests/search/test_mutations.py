"""Files that were damaged, each in another way: a clear error or a right result, never a crash.

A tenth of them by default; ACTSEARCH_FULL_TESTS=1 makes it a thousand.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Final

import pytest

import grammars
from grammars.space import grammar_files
from search.journal.journal import FILE_NAME

from .here import Answer, actsearch
from .mutations import BINARY, TEXT, mutated

SHARE: Final = 1 if os.environ.get("ACTSEARCH_FULL_TESTS") else 10
CAMPAIGN_FILES: Final = 400 // SHARE
SHIPPED: Final = Path(grammars.__file__).parent
GRAMMARS: Final = 300 // SHARE
JOURNALS: Final = 300 // SHARE

CAMPAIGN: Final = """
# Every candidate is trained for a moment by the simulation of the tests; what a file like this one
# says in comments is for people, and may be damaged without harm to anybody, as may be the free
# text of the description below.
seed = 11
task = "digits-mlp"
grammar = "core"
description = "To be damaged."

[search]
strategy = "genetic"
population = 6
crossover = 0.5

[scoring]
rungs = [{ steps = 10, seeds = 1 }, { steps = 20, seeds = 2 }]
reduction_factor = 3.0
timeout_seconds = 60.0

[tracking]
mlflow = false

[stop]
generations = 2
"""

# Damage may ask for much; what is tested is that it is understood, not that it is done.
BRIEFLY: Final = (
    *("--set", "stop.generations=1", "--set", "search.population=4"),
    *("--set", "tracking.mlflow=false"),
)


def verdict(answer: Answer) -> str:
    """ "done" or "refused"; anything else fails the test."""
    if answer.status == 0:
        return "done"
    assert answer.is_clear_error, answer
    return "refused"


def report(verdicts: list[str]) -> None:
    """For whoever wants to know; both kinds must occur where there are dozens."""
    print(f"{verdicts.count('done')} done, {verdicts.count('refused')} refused")
    assert len(verdicts) < 30 or {"done", "refused"} == set(verdicts)


def test_damaged_campaign_files(tmp_path: Path) -> None:
    verdicts = []
    for seed in range(CAMPAIGN_FILES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = folder / "damaged.toml"
        path.write_bytes(damaged := mutated(CAMPAIGN.encode(), seed, TEXT))
        answer = actsearch("launch", path, "--runs-dir", folder / "runs", *BRIEFLY)
        verdicts.append(verdict(answer))
        assert path.read_bytes() == damaged
        assert {entry.name for entry in folder.iterdir()} <= {path.name, "runs"}
        assert ("Leaderboard of" in answer.stdout) == (verdicts[-1] == "done")
        shutil.rmtree(folder)
    report(verdicts)


@pytest.mark.parametrize("name", grammar_files.grammar_names())
def test_damaged_grammars(name: str, tmp_path: Path) -> None:
    names = grammar_files.grammar_names()
    original = (SHIPPED / f"{name}.toml").read_bytes()
    verdicts = []
    for seed in range(names.index(name), GRAMMARS, len(names)):
        path = tmp_path / "damaged.toml"
        path.write_bytes(damaged := mutated(original, seed, TEXT))
        verdicts.append(verdict(actsearch("grammar", "show", path)))
        assert path.read_bytes() == damaged
    report(verdicts)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs directory with a finished campaign."""
    runs_dir = tmp_path_factory.mktemp("finished") / "runs"
    answer = actsearch("launch", campaign_file(runs_dir), "--runs-dir", runs_dir)
    assert answer.status == 0, answer
    return runs_dir


def campaign_file(runs_dir: Path) -> Path:
    path = runs_dir.with_name("whole.toml")
    path.write_text(CAMPAIGN)
    return path


def rows_of(answer: Answer) -> list[str]:
    """The leaderboard, line by line."""
    return [json.dumps(row) for row in json.loads(answer.stdout)]


def test_damaged_journals(finished: Path, tmp_path: Path) -> None:
    """What is read is what was written, or nothing is: and what was damaged stays as it is."""
    original = (finished / "whole" / FILE_NAME).read_bytes()
    asked = ("leaderboard", "whole", "--json", "--top", "1000", "--runs-dir")
    expected = rows_of(actsearch(*asked, finished))
    verdicts = []
    for seed in range(JOURNALS):
        runs_dir = tmp_path / str(seed) / "runs"
        shutil.copytree(finished, runs_dir)
        path = runs_dir / "whole" / FILE_NAME
        path.write_bytes(damaged := mutated(original, seed, BINARY))
        answer = actsearch(*asked, runs_dir)
        if verdict(answer) == "done":
            assert rows_of(answer) == expected
        assert path.read_bytes() == damaged
        again = actsearch("launch", campaign_file(runs_dir), "--runs-dir", runs_dir)
        verdicts.append(verdict(again))
        if verdicts[-1] == "done":
            assert rows_of(actsearch(*asked, runs_dir)) == expected
        else:
            assert path.read_bytes() == damaged
            assert str(path) in again.stderr
        shutil.rmtree(runs_dir)
    report(verdicts)
