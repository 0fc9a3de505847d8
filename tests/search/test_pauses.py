"""A campaign that is stopped for a while, or starved, finds what it would have found.

ACTSEARCH_FULL_TESTS=1 pauses a whole campaign ten times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task
from grammars import BASELINES, parse
from search.executors import ProcessPool, Workload
from search.journal.journal import FILE_NAME, Journal

from .here import actsearch
from .processes import start, workers_of
from .simulation import BENCH, Simulation
from .test_cli import events
from .test_executors import essence, evaluate
from .test_kills import FULL

PAUSES: Final = 10

# Of processor time: several times what a candidate needs, and less than each pause.
TIMEOUT_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = TIMEOUT_SECONDS + 1.0

CAMPAIGN: Final = f"""
name = "paused"
seed = 7
task = "digits-mlp"
search.population = 8
scoring = {{ rungs = [{{ steps = 4000 }}], batch = 1, timeout_seconds = {TIMEOUT_SECONDS} }}
tracking.mlflow = false
stop.generations = 2
"""

FIDELITY: Final = Fidelity(8000, (0,))
FUNCTIONS: Final = [parse(text) for text in ("relu", "swish", "tanh", "x * tanh(x)")]


def launch(runs_dir: Path) -> subprocess.Popen[str]:
    file = runs_dir / "paused.toml"
    file.write_text(CAMPAIGN)
    return start("launch", file, "--runs-dir", runs_dir, "--workers", "2")


def evaluations(runs_dir: Path) -> list[Evaluation]:
    with suppress(FileNotFoundError), Journal(runs_dir / "paused" / FILE_NAME, read_only=True) as j:
        return [Evaluation.from_json(event.payload) for event in j.events("evaluation")]
    return []


def pause(process: subprocess.Popen[str]) -> None:
    """As Ctrl-Z, or a container that is paused, and fg."""
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(PAUSE_SECONDS)
    os.killpg(process.pid, signal.SIGCONT)


@pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 takes minutes to pause a campaign")
def test_a_campaign_paused_again_and_again_ends_as_the_one_that_was_not(tmp_path: Path) -> None:
    for name in ("whole", "paused"):
        (tmp_path / name).mkdir()
    whole = launch(tmp_path / "whole")
    _, stderr = whole.communicate(timeout=900)
    assert whole.returncode == 0, stderr
    process, chance = launch(tmp_path / "paused"), random.Random(1)
    while process.poll() is None and not workers_of(process.pid):
        time.sleep(0.05)
    results: list[int] = []  # when it was paused
    while len(results) < PAUSES and process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1.0))
        pause(process)
        results.append(len(evaluations(tmp_path / "paused")))
        while process.poll() is None and len(evaluations(tmp_path / "paused")) == results[-1]:
            time.sleep(0.05)
    _, stderr = process.communicate(timeout=900)
    print(f"{len(results)} pauses of {PAUSE_SECONDS} s, after so many results: {results}")
    assert process.returncode == 0, stderr
    assert len(results) == PAUSES
    assert events(tmp_path / "paused" / "paused") == events(tmp_path / "whole" / "paused")
    assert Outcome.FAILED not in {each.outcome for each in evaluations(tmp_path / "paused")}


@contextmanager
def stopped(how: Callable[[list[int], threading.Event], None]) -> Iterator[None]:
    """Meanwhile does something to this process's workers, once there are any."""
    over = threading.Event()

    def act() -> None:
        while not over.is_set() and not (workers := workers_of(os.getpid())):
            time.sleep(0.05)
        how(workers, over)
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def send(workers: list[int], number: signal.Signals) -> None:
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, number)


def once(workers: list[int], over: threading.Event) -> None:
    """Stopped once, for longer than a candidate has."""
    over.wait(1.5)
    send(workers, signal.SIGSTOP)
    time.sleep(PAUSE_SECONDS)


def starved(workers: list[int], over: threading.Event) -> None:
    """On a machine that is so busy that they run a tenth of the time."""
    while not over.is_set():
        send(workers, signal.SIGSTOP)
        over.wait(0.45)
        send(workers, signal.SIGCONT)
        over.wait(0.05)


@pytest.fixture(scope="module")
def undisturbed() -> list[Evaluation]:
    with pool() as executor:
        return evaluate(executor, FUNCTIONS, FIDELITY)


def pool() -> ProcessPool:
    workload = Workload(find_task("digits-mlp"))
    return ProcessPool(workload, workers=1, batch=4, timeout_seconds=TIMEOUT_SECONDS)


@pytest.mark.parametrize("how", [once, starved])
def test_workers_that_are_held_up_cost_nobody_a_result(
    undisturbed: list[Evaluation], how: Callable[[list[int], threading.Event], None]
) -> None:
    assert {each.outcome for each in undisturbed} == {Outcome.SCORED}
    with pool() as executor, stopped(how):
        assert essence(evaluate(executor, FUNCTIONS, FIDELITY)) == essence(undisturbed)


class Late(Simulation):
    """Nothing is ready in time."""

    def evaluation(self, expression: object, fidelity: Fidelity) -> Evaluation:
        reason = "it took longer than 5 s a seed"
        return BENCH.record(expression, fidelity, Outcome.FAILED, reason=reason)  # type: ignore[arg-type]


def test_more_time_may_be_given_later_and_counts_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "paused.toml"
    file.write_text(CAMPAIGN)
    command = ("launch", file, "--runs-dir", tmp_path)
    first = (*command, "--set", "stop.generations=1")
    assert actsearch(*first, pool=lambda *what, **limits: Late()).status == 0
    before = evaluations(tmp_path)
    assert {each.outcome for each in before} <= {Outcome.FAILED, Outcome.REJECTED}

    shorter = actsearch(*command, "--set", "scoring.timeout_seconds=4")
    assert shorter.is_clear_error
    assert "settings.scoring.timeout_seconds: was 5.0, is 4.0" in shorter.stderr

    longer = actsearch(*command, "--set", "scoring.timeout_seconds=50")
    assert longer.status == 0, longer
    after = evaluations(tmp_path)
    assert after[: len(before)] == before  # what failed stays failed
    assert {each.outcome for each in after[len(before) :]} >= {Outcome.SCORED}
    assert len(before) > len(BASELINES)
