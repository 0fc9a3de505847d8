"""A candidate that ruins its workers, in a campaign: recorded once, and never tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from evaluators.evaluation.evaluation import Outcome
from evaluators.tasks import find_task
from grammars import parse
from search.executors import ProcessPool
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.standings.leaderboard import leaderboard

from .faulty import FaultyWorkload
from .test_campaign import run, settings

POISON: Final = "gelu"


def campaign(folder: Path, workload: FaultyWorkload, *, generations: int) -> None:
    chosen = settings(
        search={"population": 4},
        scoring={"rungs": [{"steps": 10}, {"steps": 20}], "batch": 16},
        stop={"generations": generations},
    )
    with ProcessPool(workload, workers=2, batch=16, timeout_seconds=60.0) as executor:
        run(folder, chosen, executor)


def test_the_culprit_is_never_tried_again(tmp_path: Path) -> None:
    faults = ((str(parse(POISON)), "segfault"),)
    workload = FaultyWorkload(find_task("digits-mlp"), faults=faults, log=tmp_path / "log")
    campaign(tmp_path / "test", workload, generations=1)
    attempts = workload.attempts()
    campaign(tmp_path / "test", workload, generations=2)
    assert workload.attempts() == attempts
    with Journal(tmp_path / "test" / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    failed = [
        (each.rung, each.evaluation.reason)
        for each in history.evaluations
        if each.evaluation.outcome is Outcome.FAILED
    ]
    rows = leaderboard(history)
    assert failed == [(0, "its worker died (SIGSEGV)")]
    assert len(attempts) == 3
    assert POISON not in {row.name for row in rows}
    assert sum(row.origin == "baseline" for row in rows) == 8
