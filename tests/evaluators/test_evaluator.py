"""From expressions to evaluations: what is scored, what diverges, what runs out of time."""

from __future__ import annotations

from pathlib import Path

from evaluators.datasets import Dataset
from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench, Evaluator
from evaluators.probing.cost import relative_costs
from evaluators.tasks import Task
from grammars import parse

FIDELITY = Fidelity(30, (0, 1))


def test_each_candidate_is_recorded_by_itself(
    tmp_path: Path, small_task: Task, digits: Dataset
) -> None:
    evaluator = Evaluator(small_task, digits, states_folder=tmp_path)
    batch = [parse("x * sigmoid(x)"), parse("exp(exp(x * x))"), parse("relu(x)")]
    scored, diverged, also_scored = evaluator.evaluate(batch, FIDELITY)
    assert scored.outcome is also_scored.outcome is Outcome.SCORED
    assert [result.seed for result in scored.per_seed] == [0, 1]
    assert scored.diagnostics is not None
    assert scored.score is not None
    assert diverged.outcome is Outcome.DIVERGED
    assert diverged.reason == "the loss was not finite by step 30 (seed 0)"
    assert diverged.diagnostics is None
    # One state for each seed of those that reached the end.
    assert len(list(tmp_path.iterdir())) == 4


def test_who_climbs_is_not_compiled_again_and_comes_to_the_same(
    tmp_path: Path, small_task: Task, digits: Dataset
) -> None:
    granted: list[float] = []
    evaluator = Evaluator(small_task, digits, states_folder=tmp_path, allow=granted.append)
    below = [parse(text) for text in ("relu(x)", "tanh(x)", "prelu", "x * sigmoid(x)")]
    evaluator.evaluate(below, FIDELITY)
    granted.clear()
    climbing = [below[3], below[0]]
    longer = Fidelity(60, (0, 1))
    records = evaluator.evaluate(climbing, longer)
    assert len(granted) == 4  # for each seed of each, and none for compiling
    newcomer = parse("sin(x)")
    mixed = evaluator.evaluate([newcomer, *climbing], longer)
    assert len(granted) == 4 + 1 + 6
    fresh = Evaluator(small_task, digits).evaluate([*climbing, newcomer], longer)
    assert [r.per_seed for r in records] == [r.per_seed for r in fresh[:2]]
    assert [r.per_seed for r in mixed] == [fresh[n].per_seed for n in (2, 0, 1)]


def test_a_candidate_out_of_time_is_recorded_as_failed(small_task: Task, digits: Dataset) -> None:
    evaluator = Evaluator(small_task, digits, timeout_seconds=0.0)
    (record,) = evaluator.evaluate([parse("relu(x)")], FIDELITY)
    assert record.outcome is Outcome.FAILED
    assert record.reason == "it took longer than 0 s a seed"


def test_each_stretch_of_work_is_granted_its_time(small_task: Task, digits: Dataset) -> None:
    granted: list[float] = []
    evaluator = Evaluator(small_task, digits, timeout_seconds=8.0, allow=granted.append)
    evaluator.evaluate([parse("relu(x)"), parse("tanh(x)")], FIDELITY)
    compiling, *training = granted
    assert compiling == 30.0 + 8.0 * (1.0 + 2.0 / 16.0)
    assert training == [18.0] * 4


def test_a_rejection_says_why_and_costs_no_training() -> None:
    bench = Bench("small", "digits")
    record = bench.rejection(parse("2 * x"), FIDELITY)
    assert record is not None
    assert record.outcome is Outcome.REJECTED
    assert record.reason == "affine: f(x) = 2 x, so any depth is one layer"
    assert bench.rejection(parse("relu(x)"), FIDELITY) is None


def test_costs_are_measured_and_no_state_is_kept_on_the_last_rung_alone(
    tmp_path: Path, small_task: Task, digits: Dataset
) -> None:
    longer = Fidelity(60, (0, 1))
    evaluator = Evaluator(small_task, digits, states_folder=tmp_path, highest=longer)
    batch = [parse("x * sigmoid(x)"), parse("exp(exp(x * x))")]
    for record in evaluator.evaluate(batch, FIDELITY):
        assert record.relative_cost is None
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    scored, diverged = evaluator.evaluate(batch, longer)
    assert scored.relative_cost is not None
    assert scored.relative_cost > 0
    assert diverged.relative_cost is None
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept


def test_what_takes_many_operations_costs_more_than_relu() -> None:
    dear, relu, parametric = relative_costs(
        [parse("sin(x) * erf(x) + atan(x) * asinh(x)"), parse("relu(x)"), parse("prelu")]
    )
    assert dear > 2.0 * relu
    assert parametric > 0.5 * relu
