"""Real workers, really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.datasets import Builtin
from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task
from grammars import Expression, parse
from search.executors import Interrupted, ProcessPool, WorkersUnusableError, Workload
from search.executors.at_once import trained_at_once
from search.executors.executor import split
from search.executors.worker_pool import WorkerPool
from search.executors.worker_process import _server

from .faulty import FaultyWorkload
from .own_tasks import OWN
from .processes import workers_of
from .watched import WatchedWorkload

WORKLOAD = Workload(find_task("digits-mlp"))
FIDELITY = Fidelity(30, (0, 1))
EXPRESSIONS = [parse(text) for text in ("relu", "swish", "tanh", "x * tanh(x)", "sin(x)")]


def pool(*, workers: int, timeout_seconds: float = 60.0, batch: int = 8) -> ProcessPool:
    return ProcessPool(WORKLOAD, workers=workers, batch=batch, timeout_seconds=timeout_seconds)


def evaluate(
    executor: ProcessPool, expressions: list[Expression], fidelity: Fidelity = FIDELITY
) -> list[Evaluation]:
    batches = executor.evaluate(expressions, fidelity, stopping=threading.Event())
    return [evaluation for batch in batches for evaluation in batch]


def essence(evaluations: list[Evaluation]) -> list[tuple[object, ...]]:
    """All but the time."""
    return [(e.candidate_id, e.outcome, e.reason, e.per_seed) for e in evaluations]


@pytest.fixture(scope="module")
def alone() -> list[Evaluation]:
    """What one worker says, all candidates in one batch."""
    with pool(workers=1) as executor:
        return evaluate(executor, EXPRESSIONS)


def test_results_come_in_order_and_are_those_of_the_functions(alone: list[Evaluation]) -> None:
    assert [e.expression for e in alone] == [str(expression) for expression in EXPRESSIONS]
    assert {e.outcome for e in alone} == {Outcome.SCORED}
    assert all(len(e.per_seed) == 2 for e in alone)
    assert all((e.validation_accuracy or 0.0) > 0.2 for e in alone)


def test_results_do_not_depend_on_workers_or_batches(alone: list[Evaluation]) -> None:
    with pool(workers=2, batch=2) as executor:
        assert essence(evaluate(executor, EXPRESSIONS)) == essence(alone)


@pytest.mark.parametrize("where", OWN)
def test_so_it_is_for_tasks_of_ones_own_though_a_worker_is_killed(
    where: str, tmp_path: Path
) -> None:
    workload, candidates = Workload(OWN[where](tmp_path)), EXPRESSIONS[1:3]
    together = workload.evaluator().evaluate(candidates, FIDELITY)
    assert {e.outcome for e in together} == {Outcome.SCORED}
    with ProcessPool(workload, workers=1, batch=8, timeout_seconds=60.0) as executor:
        evaluate(executor, candidates[:1])  # the others are killed in the middle, and tried alone
        killer = threading.Thread(target=kill_workers, args=[killed := []])
        killer.start()
        each_alone = evaluate(executor, candidates)
        killer.join()
    assert killed
    assert essence(each_alone) == essence(together)


def test_the_same_workers_train_several_tasks_at_several_rates() -> None:
    tasks = tuple(map(find_task, ("mnist1d-mlp", "digits-mlp")))
    workload = Workload(tasks[0], others=tasks[1:])
    asked = [Fidelity(20, (0,), rate, task) for task in (1, 0, 1) for rate in (0.002, None, 0.008)]
    with ProcessPool(workload, workers=2, batch=2, timeout_seconds=60.0) as executor:
        together = [evaluate(executor, EXPRESSIONS, fidelity) for fidelity in asked]
    for evaluations, fidelity in zip(together, asked, strict=True):
        assert {e.task for e in evaluations} == {tasks[fidelity.task].name}
        assert {e.fidelity for e in evaluations} == {fidelity}
        alone = Workload(tasks[fidelity.task]).evaluator()
        single = alone.evaluate(EXPRESSIONS[1:2], replace(fidelity, task=0))
        assert essence(single) == essence(evaluations[1:2])
    assert len({e.validation_loss for each in together for e in each}) == 6 * len(EXPRESSIONS)


def test_candidates_go_back_to_the_worker_that_has_compiled_them() -> None:
    workload = WatchedWorkload(find_task("digits-mlp"))
    first, second = EXPRESSIONS[:2], EXPRESSIONS[2:4]
    with ProcessPool(workload, workers=2, batch=2, timeout_seconds=60.0) as executor:
        homes = {e.expression: e.reason for e in evaluate(executor, [*first, *second])}
        assert len(set(homes.values())) == 2
        for group in ([*second, *first], [second[1], first[0]], [first[1], second[0]]):
            climbed = evaluate(executor, group, Fidelity(60, (0,)))
            assert {e.expression: e.reason for e in climbed}.items() <= homes.items()


def test_running_batches_can_be_given_up() -> None:
    with pool(workers=1, timeout_seconds=600.0) as executor:
        giving_up = threading.Timer(1.0, executor.abandon)
        giving_up.start()
        with pytest.raises(Interrupted):
            evaluate(executor, EXPRESSIONS, Fidelity(900_000, (0, 1)))


def test_a_killed_worker_costs_nobody_a_result(alone: list[Evaluation]) -> None:
    with pool(workers=1) as executor:
        evaluate(executor, EXPRESSIONS[:1])
        killed: list[int] = []
        killer = threading.Thread(target=kill_workers, args=[killed])
        killer.start()
        evaluations = evaluate(executor, EXPRESSIONS)
        killer.join()
    assert killed
    assert essence(evaluations) == essence(alone)


def test_workers_may_be_killed_while_they_start_and_while_they_rest(
    alone: list[Evaluation],
) -> None:
    with pool(workers=2, batch=8) as executor:
        for pause in (0.0, 0.1, 0.3):
            killer = threading.Thread(target=kill_workers, args=[[], pause])
            killer.start()
            assert essence(evaluate(executor, EXPRESSIONS)) == essence(alone)
            killer.join()
            kill_workers(killed := [], 0.0)
            assert len(killed) == 2


def test_the_server_that_workers_come_from_may_die_while_one_starts(
    alone: list[Evaluation],
) -> None:
    """As by a scheduler's SIGTERM to all processes, which finds the server unprepared."""
    _server.ensure_running()
    server = _server._forkserver_pid
    os.kill(server, signal.SIGSTOP)  # it is asked for a worker, and never answers
    killer = threading.Timer(1.0, os.kill, [server, signal.SIGKILL])
    killer.start()
    with pool(workers=1) as executor:
        evaluations = evaluate(executor, EXPRESSIONS)
    killer.join()
    assert essence(evaluations) == essence(alone)


def test_workers_end_with_their_owner() -> None:
    """Though it is killed at the very moment when they start, or amid hours of training."""
    code = (
        "import os, signal, threading, time; from tests.search.test_executors import *; "
        "executor = pool(workers=2, timeout_seconds=600.0); "
        "killer = threading.Timer({pause}, os.kill, [os.getpid(), signal.SIGKILL]); "
        "killer.start(); evaluate(executor, EXPRESSIONS, Fidelity(900_000, (0,)))"
    )
    for pause in (2.0, 2.3, 2.6, 6.0):
        owner = subprocess.Popen(
            [sys.executable, "-c", code.format(pause=pause)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # Its workers hold the same pipes, which end when the last of them has ended.
        _, stderr = owner.communicate(timeout=30.0)
        assert owner.returncode == -signal.SIGKILL
        assert b"actsearch-worker" not in stderr  # what a worker says when it ends by an error


def kill_workers(killed: list[int], pause: float = 0.5) -> None:
    """Kills the workers of this process; by default in the middle of their first batch."""
    time.sleep(pause)
    for worker in workers_of(os.getpid()):
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"forkserver" in Path(f"/proc/{worker}/cmdline").read_bytes():
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)


def test_a_candidate_over_its_time_is_failed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.executors.worker_pool.STARTING_SECONDS", 0.0)
    with pool(workers=1, timeout_seconds=0.01) as executor:
        evaluations = evaluate(executor, EXPRESSIONS[:2], Fidelity(100_000, (0,)))
    assert [e.outcome for e in evaluations] == [Outcome.FAILED] * 2
    assert {e.reason for e in evaluations} == {"it took longer than 0.01 s a seed"}


POISON = "cos(x)"

REASONS = {
    "segfault": "its worker died (SIGSEGV)",
    "kill": "its worker died (SIGKILL)",
    "exhaust_memory": "it needs more than 4 GiB of memory",
    "hang": "it did not end in time (60 s a seed)",
    "spin": "it did not end in time (60 s a seed)",
    "raise_error": "RuntimeError: INTERNAL: the compiler has a bug",
}


@pytest.mark.parametrize("fault", REASONS)
def test_only_the_culprit_fails_and_the_reason_is_known(
    fault: str, alone: list[Evaluation], tmp_path: Path
) -> None:
    workload = FaultyWorkload(
        find_task("digits-mlp"), faults=((POISON, fault),), log=tmp_path / "log"
    )
    expressions = [*EXPRESSIONS[:2], parse(POISON), *EXPRESSIONS[2:]]
    with ProcessPool(workload, workers=2, batch=8, timeout_seconds=60.0) as executor:
        mates = evaluate(executor, expressions)
    culprit = mates.pop(2)
    assert (culprit.outcome, culprit.reason) == (Outcome.FAILED, REASONS[fault])
    assert essence(mates) == essence(alone)
    # With its mates, alone, and once more alone where it may have been bad luck.
    is_certain = fault in ("spin", "raise_error")
    assert [line.split()[0] for line in workload.attempts()] == ["3", "1", "1"][: 3 - is_certain]


def test_a_worker_gives_way_before_its_memory_ends(tmp_path: Path, alone: list[Evaluation]) -> None:
    leaking = [EXPRESSIONS[number % 5] for number in range(10)]
    workload = FaultyWorkload(
        find_task("digits-mlp"),
        faults=tuple((str(each), "leak") for each in EXPRESSIONS),
        log=tmp_path / "log",
    )
    with ProcessPool(workload, workers=1, batch=1, timeout_seconds=60.0) as executor:
        assert essence(evaluate(executor, leaking)) == essence(alone) * 2
    assert len(workload.attempts()) == 10, "none was lost to a want of memory and tried again"


def test_bad_luck_is_no_fault(tmp_path: Path, alone: list[Evaluation]) -> None:
    """A candidate all by itself, whose worker was killed from outside."""
    unlucky = str(EXPRESSIONS[1])
    workload = FaultyWorkload(
        find_task("digits-mlp"), faults=((unlucky, "kill once"),), log=tmp_path / "log"
    )
    with ProcessPool(workload, workers=1, batch=1, timeout_seconds=60.0) as executor:
        assert essence(evaluate(executor, EXPRESSIONS)) == essence(alone)
    assert len(workload.attempts()) == 2


def test_workers_that_can_do_nothing_blame_nobody(tmp_path: Path) -> None:
    faults = ((POISON, "kill"), ("relu(x)", "kill"))
    workload = FaultyWorkload(find_task("digits-mlp"), faults=faults, log=tmp_path / "log")
    with (
        ProcessPool(workload, workers=1, batch=8, timeout_seconds=60.0) as executor,
        pytest.raises(WorkersUnusableError, match=r"not even relu: its worker died .*memory_gib"),
    ):
        evaluate(executor, [parse(POISON)])


def test_workers_that_cannot_get_ready_say_why() -> None:
    with (
        ProcessPool(
            Workload(replace(find_task("digits-mlp"), data=Builtin("minst"))),
            workers=1,
            batch=8,
            timeout_seconds=60.0,
        ) as executor,
        pytest.raises(WorkersUnusableError, match=r"could not get ready: .*did you mean 'mnist'"),
    ):
        evaluate(executor, EXPRESSIONS)


def test_stopping_delivers_the_running_batches_first() -> None:
    stopping = threading.Event()
    delivered: list[Evaluation] = []
    with pool(workers=1, batch=1) as executor:
        batches = executor.evaluate(EXPRESSIONS, FIDELITY, stopping=stopping)
        delivered += next(batches)
        stopping.set()
        with pytest.raises(Interrupted):
            list(batches)
    assert [e.expression for e in delivered] == [str(EXPRESSIONS[0])]


def test_of_several_calls_at_a_time_only_what_runs_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit, stopping, asked = WorkerPool.submit, threading.Event(), []

    def submitted(self: WorkerPool, *batch: Any) -> Any:
        future = submit(self, *batch)
        asked.append(batch)
        if len(asked) == 3:  # by far sooner than the one worker has started
            stopping.set()
        return future

    monkeypatch.setattr(WorkerPool, "submit", submitted)
    calls = [(Fidelity(30, (seed,)), EXPRESSIONS[:1]) for seed in range(3)]
    delivered: list[Any] = []
    with pool(workers=1) as executor, pytest.raises(Interrupted):
        delivered.extend(trained_at_once(executor, calls, stopping=stopping))
    assert len(asked) == 3
    assert len(delivered) <= 1


@pytest.mark.parametrize(
    ("count", "batch", "workers", "sizes"),
    [
        (10, 4, 1, [4, 4, 2]),
        (10, 32, 2, [5, 5]),
        (1, 32, 4, [1]),
        (0, 32, 2, []),
        (3, 8, 2, [2, 1]),
    ],
)
def test_batches_are_bounded_and_keep_all_workers_busy(
    count: int, batch: int, workers: int, sizes: list[int]
) -> None:
    expressions = [EXPRESSIONS[number % 5] for number in range(count)]
    groups = split(expressions, batch=batch, workers=workers)
    assert [len(group) for group in groups] == sizes
    assert [e for group in groups for e in group] == expressions
