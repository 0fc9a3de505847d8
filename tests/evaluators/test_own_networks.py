"""Networks of a user's own: pure pairs, Equinox and Flax modules, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from evaluators.datasets import Dataset
from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Evaluator
from evaluators.networks import (
    UNKNOWN,
    Moments,
    OwnNetwork,
    deciding_network,
    network_section,
    read_network,
)
from evaluators.reading.functions import FileFunction, UserCodeError
from evaluators.reading.sections import SectionError
from evaluators.steps.batches import DeviceData
from evaluators.steps.fitting import NetworkError, fitted
from evaluators.tasks import Task
from evaluators.training.program import Trained, TrainingProgram
from evaluators.training.training_states import TrainingStates
from grammars import parse

PAIR = """
import numpy as np

def network(shape, outputs):
    def init(seed, moments):
        random, size = np.random.default_rng(seed), int(np.prod(shape))
        scale = (1 / (32 * moments.after(0))) ** 0.5
        return {"up": random.normal(0, size**-0.5, (size, 32)).astype("float32"),
                "down": random.normal(0, scale, (32, outputs)).astype("float32")}

    def apply(weights, inputs, activate):
        x = inputs.reshape(len(inputs), -1) @ weights["up"]
        return activate(x) @ weights["down"]

    return init, apply
"""
EQUINOX = """
import equinox as eqx
import jax
from evaluators.networks import equinox_network

class Model(eqx.Module):
    perceptron: eqx.nn.MLP

    def __init__(self, activate, key):
        self.perceptron = eqx.nn.MLP(64, 10, 32, 2, activation=activate, key=key)

    def __call__(self, x):
        return self.perceptron(x.reshape(-1))

network = equinox_network(Model)
"""
NNX = """
from flax import nnx
from evaluators.networks import flax_network

class Model(nnx.Module):
    def __init__(self, activate, rngs):
        self.up, self.norm = nnx.Linear(64, 32, rngs=rngs), nnx.LayerNorm(32, rngs=rngs)
        self.down, self.activate = nnx.Linear(32, 10, rngs=rngs), activate

    def __call__(self, x):
        return self.down(self.activate(self.norm(self.up(x.reshape(len(x), -1)))))

network = flax_network(lambda activate, rngs: Model(activate, rngs))
"""
LINEN = """
from typing import Any
import flax.linen as nn
from evaluators.networks import flax_network

class Model(nn.Module):
    activate: Any

    @nn.compact
    def __call__(self, x):
        return nn.Dense(10)(self.activate(nn.Dense(32)(x.reshape(len(x), -1))))

network = flax_network(lambda activate: Model(activate))
"""


def _network(folder: Path, code: str, *, calls: int = 1) -> OwnNetwork:
    (folder / "my_net.py").write_text(code)
    network = read_network({"function": "my_net.py:network", "calls": calls}, folder=folder)
    assert isinstance(network, OwnNetwork)
    return network


@pytest.mark.parametrize(
    ("code", "calls", "needs"),
    [(PAIR, 1, "numpy"), (EQUINOX, 2, "equinox"), (NNX, 1, "flax"), (LINEN, 1, "flax")],
    ids=["pair", "equinox", "flax nnx", "flax linen"],
)
def test_networks_of_every_framework_learn(
    code: str, calls: int, needs: str, tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    pytest.importorskip(needs)
    network = _network(tmp_path, code, calls=calls)
    assert fitted(network, digits_data).calls == calls
    recipe = replace(small_task.recipe, learning_rate=0.005)
    task = replace(small_task, network=network, recipe=recipe)
    functions = [parse("tanh(x)"), parse('x * sigmoid(param("b", 1, per="channel") * x)')]
    program = TrainingProgram(functions, task, digits_data)
    for index in (0, 1):
        short, long = (program.train(index, seed=1, steps=steps) for steps in (1, 150))
        assert isinstance(short, Trained)
        assert isinstance(long, Trained)
        assert long.result.validation_loss < 0.5 * short.result.validation_loss


def test_seeds_decide_on_the_weights(tmp_path: Path) -> None:
    pair = _network(tmp_path, EQUINOX).made((8, 8), 10)
    first, again, other = (pair.init(seed, Moments(1.0, (1.0,)))[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


def test_a_network_is_its_file_s_content_wherever_that_lies(tmp_path: Path) -> None:
    network = _network(tmp_path, PAIR)
    (tmp_path / "elsewhere").mkdir()
    moved = _network(tmp_path / "elsewhere", PAIR)
    assert deciding_network(network) == deciding_network(moved)
    assert read_network(network_section(network)) == network
    changed = _network(tmp_path, PAIR + "\n# otherwise\n")
    assert deciding_network(changed) != deciding_network(network)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def network(shape, outputs):\n    return 3\n", r"my_net.py, line 1: .* got int"),
        ("raise OSError('gone')\n", r"my_net.py, line 1: importing it raised OSError: gone"),
        (
            PAIR.replace('weights["down"]', 'weights["dwn"]'),
            r"my_net.py, line 13: computing the network's outputs raised KeyError",
        ),
    ],
    ids=["no pair", "import", "apply"],
)
def test_mistakes_are_told_with_file_and_line(
    code: str, message: str, tmp_path: Path, digits_data: DeviceData
) -> None:
    with pytest.raises(UserCodeError, match=message):
        fitted(_network(tmp_path, code), digits_data)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            '"depth": 3',
            r"line 4: init must give weights of floating .*, got int64 at \['depth'\]; ",
        ),
        ('"sizes": [np.arange(3)]', r"got int64 at \['sizes'\]\[0\]; a constant belongs into"),
        (
            '"turn": np.ones(3, np.complex64)',
            r"weights of real numbers, got complex64 at \['turn'\]; keep real and imaginary parts",
        ),
        ('"kind": "wide"', r"got a text at \['kind'\]; .* what is remembered into the state"),
    ],
    ids=["int", "array", "complex", "text"],
)
def test_weights_that_cannot_be_trained_are_told_with_their_place(
    entry: str, message: str, tmp_path: Path, digits_data: DeviceData
) -> None:
    network = _network(tmp_path, PAIR.replace('{"up":', f'{{{entry}, "up":'))
    with pytest.raises(UserCodeError, match=message):
        fitted(network, digits_data)


def test_parts_of_a_module_s_arguments_may_be_given(
    tmp_path: Path, digits_data: DeviceData
) -> None:
    pytest.importorskip("flax")
    for number, code in enumerate((NNX, LINEN)):
        given = code.replace("    activate: Any", "    activate: Any\n    width: int = 7")
        given = given.replace("activate, rngs):", "activate, rngs, width=7):").replace(
            "32", "width"
        )
        given = given.replace("nn.Dense(width)", "nn.Dense(self.width)").partition("network =")[0]
        given += "import functools\nnetwork = flax_network(functools.partial(Model, width=5))\n"
        (tmp_path / str(number)).mkdir()
        weights, _ = fitted(_network(tmp_path / str(number), given), digits_data).init(0, UNKNOWN)
        assert (64, 5) in [weight.shape for weight in weights]


def test_outputs_of_another_shape_and_a_silent_activation_are_told(
    tmp_path: Path, digits_data: DeviceData
) -> None:
    narrow = PAIR.replace("return activate(x) @", "return activate(x)[:, :9] @").replace(
        '"down": random.normal(0, scale, (32, outputs)', '"down": random.normal(0, scale, (9, 9)'
    )
    with pytest.raises(NetworkError, match=r"my_net.py, line 4: .* got \[8, 9\]"):
        fitted(_network(tmp_path, narrow), digits_data)
    with pytest.raises(NetworkError, match=r"my_net.py, line 4: .* never calls the activation"):
        fitted(_network(tmp_path, PAIR.replace("activate(x) @", "x @")), digits_data)
    slope = PAIR.replace("activate(x) @", "jax.grad(lambda z: activate(z).sum())(x) @")
    with pytest.raises(NetworkError, match=r"line 4: .* takes a derivative through its activation"):
        fitted(_network(tmp_path, f"import jax{slope}"), digits_data)


@pytest.mark.parametrize("kind", ["float64", "bfloat16"])
def test_weights_of_any_precision_are_kept_from_rung_to_rung(
    kind: str, tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    code = PAIR.replace('astype("float32")', f"astype({kind})")
    code = f"from numpy import float64\nfrom ml_dtypes import bfloat16{code}"
    task = replace(small_task, network=_network(tmp_path, code))
    program = TrainingProgram([parse("tanh(x)")], task, digits_data)
    states = TrainingStates(tmp_path / "states", task="mine", dataset="digits")
    program.train(0, seed=0, steps=20, states=states)
    schedule = program._runs.schedule(40, None)
    assert program._runs.resume(0, 0, schedule, states)[0] == 20


def test_jax_is_held_to_single_precision_whatever_a_network_s_file_asks_of_it(
    tmp_path: Path, small_task: Task, digits: Dataset
) -> None:
    with jax.enable_x64(True):
        task = replace(small_task, network=_network(tmp_path, PAIR))
        (evaluation,) = Evaluator(task, digits).evaluate([parse("tanh(x)")], Fidelity(20, (0,)))
    assert evaluation.outcome is Outcome.SCORED
    (usual,) = Evaluator(task, digits).evaluate([parse("tanh(x)")], Fidelity(20, (0,)))
    assert evaluation.validation_loss == usual.validation_loss


def test_a_file_that_is_not_there_is_told_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(SectionError, match=r"network.function: cannot read .*nowhere.py"):
        read_network({"function": "nowhere.py:network"}, folder=tmp_path)
    assert FileFunction.__name__ in repr(_network(tmp_path, PAIR))
