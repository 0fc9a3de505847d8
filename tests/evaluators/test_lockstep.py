"""Runs that are trained together: what each alone comes to, and the same bits in any company."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.datasets import Dataset
from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Evaluator
from evaluators.networks import CNN, MLP
from evaluators.steps.batches import CHUNK, DeviceData
from evaluators.tasks import Task
from evaluators.training.lockstep import LockstepProgram, lanes_here
from evaluators.training.program import TrainingProgram
from evaluators.training.runs import Divergence, OutOfTimeError, Trained
from evaluators.training.training_states import TrainingStates
from grammars import Activation, parse, parse_activation

LANES = 8
STEPS = CHUNK + 20  # two chunks, the second one short
TEXTS = [
    "relu(x)",
    "x * sigmoid(x)",
    'where(x >= 0, x, param("a", 0.25, per="channel") * x)',
    'param("a", 1, per="network") * tanh(x) + param("b", 0.1, per="layer") * x',
    '[x * param("a", 1, per="network"), tanh(x) + param("a", 0.5, per="channel") * x]',
]


@pytest.fixture(scope="module")
def candidates() -> list[Activation]:
    """Functions with and without trainable parameters, and one with a function for each layer."""
    return [parse_activation(text) for text in TEXTS]


@pytest.fixture(scope="module")
def program(
    candidates: list[Activation], small_task: Task, digits_data: DeviceData
) -> LockstepProgram:
    """All of them."""
    return LockstepProgram(candidates, small_task, digits_data, lanes=LANES)


@pytest.fixture(scope="module")
def trained(program: LockstepProgram) -> list[list[Trained | Divergence]]:
    """What they came to with two seeds."""
    return program.train(range(len(TEXTS)), seeds=(3, 4), steps=STEPS)


def _close(one: Trained | Divergence, other: Trained | Divergence) -> None:
    assert isinstance(one, Trained)
    assert isinstance(other, Trained)
    assert one.result.seed == other.result.seed
    assert one.result.validation_loss == pytest.approx(other.result.validation_loss, rel=1e-4)
    assert one.result.validation_accuracy == pytest.approx(other.result.validation_accuracy)
    assert list(one.result.parameters) == list(other.result.parameters)
    for name, values in one.result.parameters.items():
        assert values == pytest.approx(other.result.parameters[name], rel=1e-3)
    assert one.diagnostics is not None
    assert other.diagnostics is not None
    assert one.diagnostics.gradient_norms == pytest.approx(
        other.diagnostics.gradient_norms, rel=1e-3
    )
    assert one.diagnostics.mean_output == pytest.approx(other.diagnostics.mean_output, rel=1e-3)
    assert one.diagnostics.dead_units == other.diagnostics.dead_units


def test_together_they_come_to_what_each_alone_comes_to(
    trained: list[list[Trained | Divergence]],
    candidates: list[Activation],
    small_task: Task,
    digits_data: DeviceData,
) -> None:
    alone = TrainingProgram(candidates, small_task, digits_data)
    for index, by_seed in enumerate(trained):
        for seed, run in zip((3, 4), by_seed, strict=True):
            _close(run, alone.train(index, seed=seed, steps=STEPS))


@pytest.mark.parametrize("network", [CNN(first_channels=4), MLP(hidden=(8,) * 4)])
def test_so_they_do_in_other_networks(
    network: CNN | MLP, small_task: Task, digits_data: DeviceData
) -> None:
    task, functions = replace(small_task, network=network), [parse(text) for text in TEXTS[1:4]]
    together = LockstepProgram(functions, task, digits_data, lanes=LANES)
    alone = TrainingProgram(functions, task, digits_data)
    for index, (run,) in enumerate(together.train(range(3), seeds=(0,), steps=30)):
        _close(run, alone.train(index, seed=0, steps=30))


def test_results_are_equal_to_the_bit_in_any_company_and_any_lane(
    trained: list[list[Trained | Divergence]],
    candidates: list[Activation],
    small_task: Task,
    digits_data: DeviceData,
) -> None:
    # Two seeds a candidate take their lanes together here, and one after the other there.
    fewer = [candidates[3], parse("sin(x)"), candidates[1]]
    others = LockstepProgram(fewer, small_task, digits_data, lanes=LANES)
    assert others.train([2, 0], seeds=(3, 4), steps=STEPS) == [trained[1], trained[3]]


def test_a_few_of_them_go_on_from_kept_states_to_the_same_bits(
    tmp_path: Path, program: LockstepProgram, trained: list[list[Trained | Divergence]]
) -> None:
    states = TrainingStates(tmp_path, task="small", dataset="digits")
    program.train([0, 2], seeds=(3,), steps=50, states=states)
    assert len(list(tmp_path.iterdir())) == 2
    # With the second seed nobody has a state, and only two candidates have one with the first.
    for wanted in ([2, 0], [0, 1, 2]):
        longer = program.train(wanted, seeds=(3, 4), steps=STEPS, states=states, keep=False)
        assert longer == [trained[index] for index in wanted]


def test_who_diverges_holds_up_nobody(small_task: Task, digits_data: DeviceData) -> None:
    functions = [parse("exp(exp(x * x))"), parse("relu(x)")]
    program = LockstepProgram(functions, small_task, digits_data, lanes=4)
    (steep,), (relu,) = program.train([0, 1], seeds=(0,), steps=2 * CHUNK)
    assert steep == Divergence(seed=0, step=CHUNK)
    assert isinstance(relu, Trained)
    assert program.train([0], seeds=(0,), steps=5 * CHUNK) == [[steep]]


def test_they_are_out_of_time_together(program: LockstepProgram) -> None:
    with pytest.raises(OutOfTimeError):
        program.train([0], seeds=(0,), steps=STEPS, out_of_time=lambda: True)


def test_more_candidates_than_lanes_are_refused(
    candidates: list[Activation], small_task: Task, digits_data: DeviceData
) -> None:
    with pytest.raises(ValueError, match="got 5 candidates for 4 lanes; split them"):
        LockstepProgram(candidates, small_task, digits_data, lanes=4)


def test_an_evaluator_with_lanes_records_what_one_without_does(
    tmp_path: Path, candidates: list[Activation], small_task: Task, digits: Dataset
) -> None:
    batch, fidelity = [*candidates, parse("exp(exp(x * x))")], Fidelity(60, (0, 1))
    one = Evaluator(small_task, digits).evaluate(batch, fidelity)
    # More candidates than lanes; some of those that climb were compiled with others.
    lanes = Evaluator(small_task, digits, states_folder=tmp_path, lanes=4)
    lanes.evaluate(batch, Fidelity(30, (0,)))
    other = lanes.evaluate(batch[::-1], fidelity)[::-1]
    assert [r.outcome for r in other] == [r.outcome for r in one]
    assert [r.reason for r in other] == [r.reason for r in one]
    for a, b in zip(other[:-1], one[:-1], strict=True):
        assert a.score == pytest.approx(b.score, abs=1e-4)
    assert other[-1].outcome is Outcome.DIVERGED


def test_whoever_is_out_of_time_is_found_alone(small_task: Task, digits: Dataset) -> None:
    granted: list[float] = []
    evaluator = Evaluator(small_task, digits, timeout_seconds=0.0, allow=granted.append, lanes=4)
    records = evaluator.evaluate([parse("relu(x)"), parse("tanh(x)")], Fidelity(30, (0,)))
    assert [r.outcome for r in records] == [Outcome.FAILED] * 2
    assert records[0].reason == "it took longer than 0 s a seed"
    assert len(granted) == 1 + 1 + 2  # compiled once, tried together, and each alone


def test_processors_train_one_run_at_a_time() -> None:
    assert lanes_here() == 1
