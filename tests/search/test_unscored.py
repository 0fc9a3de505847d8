"""A search that scored nothing of its own ends, and says what happened and what to change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from grammars import BASELINES, Activation, expression_id, parse
from search.executors.site import Site
from search.library.campaign import Campaign
from search.standings.leaderboard import CandidateNotFoundError

from .here import Answer, actsearch
from .simulation import BENCH, Simulation

BASELINE_IDS: Final = frozenset(expression_id(parse(name)) for name in BASELINES)

CAMPAIGN: Final = """
name = "poor"
task = "digits-mlp"
search.population = 12
scoring.rungs = [{ steps = 10 }, { steps = 20, seeds = 2 }]
tracking.mlflow = false
"""


@dataclass
class Failing(Simulation):
    """Nothing that the search finds is scored; of the baselines nothing either, if so asked."""

    outcome: Outcome = Outcome.FAILED
    reason: str = "it took longer than 10 s a seed"
    baselines_too: bool = False

    def evaluation(self, expression: Activation, fidelity: Fidelity) -> Evaluation:
        record = super().evaluation(expression, fidelity)
        if record.candidate_id in BASELINE_IDS and not self.baselines_too:
            return record
        return BENCH.record(expression, fidelity, self.outcome, reason=self.reason)


def launched(
    folder: Path, *options: str, simulation: Callable[[], Simulation] = Simulation
) -> Answer:
    file = folder / "poor.toml"
    file.write_text(CAMPAIGN)
    return actsearch(
        "launch", file, "--runs-dir", folder, *options, pool=lambda *what, **limits: simulation()
    )


ONE_GENERATION: Final = ("--set", "stop.generations=1", "--set", "finals.top=1")
NO_TIME: Final = (
    "--set",
    "stop.generations=3",
    "--set",
    "stop.minutes=1e-9",
    *ONE_GENERATION[2:],
)


@pytest.mark.parametrize(
    ("options", "failing", "said", "change"),
    [
        (NO_TIME, {}, "9 baselines were not trained", "--set stop.minutes=10, and launch it again"),
        (
            ONE_GENERATION,
            {},
            "of its functions failed: it took longer than 10 s a seed",
            "--set scoring.timeout_seconds=600",
        ),
        (
            ONE_GENERATION,
            {"baselines_too": True, "reason": "it did not end in time (10 s a seed)"},
            "9 baselines failed: it did not end in time (10 s a seed)",
            "--set scoring.timeout_seconds=600",
        ),
        (
            ONE_GENERATION,
            {"reason": "it needs more than 4 GiB of memory"},
            "of its functions failed: it needs more than 4 GiB",
            "--set scoring.memory_gib=8",
        ),
        (
            ONE_GENERATION,
            {"outcome": Outcome.DIVERGED},
            "of its functions diverged",
            "a grammar without what grows fast",
        ),
    ],
    ids=["no time at all", "all late", "baselines late too", "memory", "all diverged"],
)
def test_it_ends_with_what_there_is_and_what_to_change(
    tmp_path: Path, options: tuple[str, ...], failing: dict[str, Any], said: str, change: str
) -> None:
    answer = launched(tmp_path, *options, simulation=lambda: Failing(**failing))
    assert answer.status == 0, answer
    assert "no finals were held" in answer.stderr
    assert "The campaign ended: " in answer.stdout
    assert said in answer.stdout
    assert change in answer.stdout.partition("What to change:")[2]
    has_rows = options == ONE_GENERATION and not failing.get("baselines_too")
    assert ("Leaderboard of poor" in answer.stdout) == has_rows
    assert ("front.png" in answer.stdout) == (tmp_path / "poor" / "front.png").is_file() == has_rows
    assert "best function with you" not in answer.stdout
    assert ("what failed stays failed" in answer.stdout) == ("failed: " in answer.stdout)


def test_launching_again_with_more_minutes_goes_on(tmp_path: Path) -> None:
    assert launched(tmp_path, *NO_TIME).status == 0
    answer = launched(tmp_path, "--set", "stop.generations=3", "--set", "stop.minutes=10")
    assert answer.status == 0
    assert "3 generations are done" in answer.stdout
    assert "The best discovered is" in answer.stdout


@pytest.mark.parametrize(
    "verb", ["finals", "report", "record", "export"], ids=["finals", "report", "record", "export"]
)
def test_the_verbs_that_need_a_function_say_the_same(tmp_path: Path, verb: str) -> None:
    launched(tmp_path, *ONE_GENERATION, simulation=Failing)
    more = ("--to", "jax", "--output", str(tmp_path / "f.py")) if verb == "export" else ()
    answer = actsearch(verb, "poor", "--runs-dir", tmp_path, *more)
    assert answer.is_clear_error, answer
    assert "The search has scored no function of its own, and ended" in answer.stderr
    assert "it took longer than 10 s a seed" in answer.stderr
    assert "scoring.timeout_seconds=600" in answer.stderr


def test_the_leaderboard_says_it_below_the_baselines(tmp_path: Path) -> None:
    launched(tmp_path, *ONE_GENERATION, simulation=Failing)
    shown = actsearch("leaderboard", "poor", "--runs-dir", tmp_path)
    assert shown.status == 0
    assert "relu" in shown.stdout
    assert "it took longer than 10 s a seed" in shown.stdout
    assert "actsearch finals" not in shown.stdout
    rows = actsearch("leaderboard", "poor", "--json", "--runs-dir", tmp_path)
    assert len(json.loads(rows.stdout)) == len(BASELINES)


def test_the_best_of_a_python_campaign_says_it_too(tmp_path: Path) -> None:
    launched(tmp_path, *ONE_GENERATION, simulation=Failing)
    campaign = Campaign(tmp_path / "poor.toml", site=Site(runs_dir=tmp_path))
    with pytest.raises(CandidateNotFoundError, match="failed: it took longer than 10 s"):
        _ = campaign.best
