"""Networks that learn otherwise than they are judged: dropout, batch normalisation and the like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from evaluators.datasets import Dataset
from evaluators.networks import UNKNOWN, OwnNetwork, read_network
from evaluators.reading.functions import FileFunction, UserCodeError
from evaluators.steps.batches import CHUNK, DeviceData, batches, keys
from evaluators.steps.fitting import Fitted, NetworkError, fitted
from evaluators.tasks import Task
from evaluators.training.program import Trained, TrainingProgram
from evaluators.training.runs import Runs
from evaluators.training.training_states import TrainingStates
from grammars import parse

STEPS = CHUNK + 20

# Dropout behind one call of the activation, and behind it batch normalisation with moving averages.
PAIR = """
import jax
import jax.numpy as jnp
import numpy as np

def network(shape, outputs):
    def init(seed):
        random, size = np.random.default_rng(seed), int(np.prod(shape))
        draw = lambda a, b: random.normal(0, a**-0.5, (a, b)).astype("float32")
        weights = {"up": draw(size, 24), "middle": draw(24, 24), "down": draw(24, outputs)}
        return weights, {"mean": np.zeros(24, "float32"), "steps": np.int32(0)}

    def apply(weights, inputs, activate, *, training, key, state):
        x = activate(inputs.reshape(len(inputs), -1) @ weights["up"])
        if training:
            x = jnp.where(jax.random.bernoulli(key, 0.75, x.shape), x / 0.75, 0.0)
        x = x @ weights["middle"]
        mean = x.mean(axis=0) if training else state["mean"]
        if training:
            state = {"mean": 0.9 * state["mean"] + 0.1 * mean, "steps": state["steps"] + 1}
        return activate(x - mean) @ weights["down"], state

    return init, apply
"""
NNX = """
from flax import nnx
from evaluators.networks import flax_network

class Model(nnx.Module):
    def __init__(self, activate, rngs):
        self.up, self.norm = nnx.Linear(64, 32, rngs=rngs), nnx.BatchNorm(32, rngs=rngs)
        self.middle, self.drop = nnx.Linear(32, 32, rngs=rngs), nnx.Dropout(0.3, rngs=rngs)
        self.down, self.activate = nnx.Linear(32, 10, rngs=rngs), activate

    def __call__(self, x):
        x = self.drop(self.activate(self.norm(self.up(x.reshape(len(x), -1)))))
        return self.down(self.drop(self.activate(self.middle(x))))

network = flax_network(Model)
"""
LINEN = """
from typing import Any
import flax.linen as nn
from evaluators.networks import flax_network

class Model(nn.Module):
    activate: Any

    @nn.compact
    def __call__(self, x, train):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(32)(x.reshape(len(x), -1)))
        x = nn.Dropout(0.3, deterministic=not train)(self.activate(x))
        x = nn.Dropout(0.3, deterministic=not train)(self.activate(nn.Dense(32)(x)))
        return nn.Dense(10)(x)

network = flax_network(lambda activate: Model(activate))
"""
EQUINOX = """
import equinox as eqx
import jax
from evaluators.networks import equinox_network

class Model(eqx.Module):
    up: eqx.nn.Linear
    norm: eqx.nn.BatchNorm
    drop: eqx.nn.Dropout
    down: eqx.nn.Linear
    activate: object = eqx.field(static=True)

    def __init__(self, activate, key):
        first, second = jax.random.split(key)
        self.up, self.down = eqx.nn.Linear(64, 32, key=first), eqx.nn.Linear(32, 10, key=second)
        self.norm, self.drop = eqx.nn.BatchNorm(32, "batch", mode="batch"), eqx.nn.Dropout(0.3)
        self.activate = activate

    def __call__(self, x, state, key):
        x, state = self.norm(self.up(x.reshape(-1)), state)
        return self.down(self.drop(self.activate(x), key=key)), state

network = equinox_network(eqx.nn.make_with_state(Model))
"""
FRAMEWORKS = [
    pytest.param(PAIR, None, id="pair"),
    pytest.param(NNX, "flax", id="flax nnx"),
    pytest.param(LINEN, "flax", id="flax linen"),
    pytest.param(EQUINOX, "equinox", id="equinox"),
]


def own(folder: Path, code: str) -> OwnNetwork:
    (folder / "my_net.py").write_text(code)
    network = read_network({"function": "my_net.py:network"}, folder=folder)
    assert isinstance(network, OwnNetwork)
    return network


def task_of(small_task: Task, network: OwnNetwork) -> Task:
    return replace(small_task, network=network)


def _both(found: Fitted, inputs: Any, key: Any) -> list[tuple[Any, Any]]:
    """Outputs and states, as it learns and as it is judged."""
    assert found.judged is not None
    made_of = jax.tree.map(jnp.asarray, found.init(0, UNKNOWN))
    return [way(made_of, (inputs, key), jnp.tanh) for way in (found.apply, found.judged)]


def test_training_is_that_of_a_plain_loop(
    tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    network = own(tmp_path, PAIR)
    init, apply = network.function.load()((8, 8), 10)
    weights, state = init(3)
    optimizer = optax.adam(small_task.recipe.learning_rate)
    memory = optimizer.init(weights)

    def loss(weights: Any, state: Any, x: Any, labels: Any, key: Any) -> Any:
        told = {"training": key is not None, "key": key, "state": state}
        outputs, state = apply(weights, x, jnp.tanh, **told)
        losses = optax.softmax_cross_entropy_with_integer_labels(outputs, labels)
        return losses.mean(), state

    @jax.jit
    def step(weights: Any, state: Any, memory: Any, x: Any, labels: Any, data: Any) -> Any:
        key = jax.random.wrap_key_data(data)
        gradient, state = jax.grad(loss, has_aux=True)(weights, state, x, labels, key)
        updates, memory = optimizer.update(gradient, memory, weights)
        return optax.apply_updates(weights, updates), state, memory

    inputs = jnp.asarray(digits_data.inputs, jnp.float32) * digits_data.scale
    order = batches(3, start=0, steps=STEPS, batch=32, examples=digits_data.training)
    drawn = np.concatenate([keys(3, first) for first in range(0, STEPS, CHUNK)])
    for chosen, data in zip(order, drawn, strict=False):
        labels = digits_data.labels[chosen]
        weights, state, memory = step(weights, state, memory, inputs[chosen], labels, data)
    judged = slice(digits_data.training, None)
    expected, _ = loss(weights, state, inputs[judged], digits_data.labels[judged], None)

    task = task_of(small_task, network)
    run = TrainingProgram([parse("relu(x)"), parse("tanh(x)")], task, digits_data).train(
        1, seed=3, steps=STEPS
    )
    assert isinstance(run, Trained)
    assert run.result.validation_loss == pytest.approx(float(expected), rel=1e-4)
    assert int(state["steps"]) == STEPS


def test_keys_depend_on_seed_and_step_alone() -> None:
    drawn = [keys(seed, first) for seed in (0, 1) for first in (0, CHUNK)]
    np.testing.assert_array_equal(drawn[1], keys(0, CHUNK))
    assert len(np.unique(np.concatenate(drawn), axis=0)) == 4 * CHUNK
    np.testing.assert_array_equal(keys(1, CHUNK + 50, 20), drawn[3][50:70])


def test_large_examples_are_brought_by_the_few_and_nothing_else_changes(
    tmp_path: Path, small_task: Task, digits: Dataset, digits_data: DeviceData
) -> None:
    task = task_of(small_task, own(tmp_path, PAIR))
    bytes_a_pass = digits_data.batch * digits_data.inputs[0].nbytes
    with mock.patch("evaluators.steps.batches._CHUNK_BYTES", 30 * bytes_a_pass):
        few = DeviceData(digits, batch=digits_data.batch, network=task.network)
    assert (few.chunk, digits_data.chunk) == (25, CHUNK)
    assert few.of_training(0, 25).labels.shape[0] == 25
    runs = [
        TrainingProgram([parse("tanh(x)")], task, data).train(0, seed=3, steps=STEPS)
        for data in (few, digits_data)
    ]
    assert isinstance(runs[0], Trained)
    assert runs[0] == runs[1]


@pytest.mark.parametrize(("code", "needs"), FRAMEWORKS)
def test_random_numbers_are_for_learning_and_the_state_is_for_judging(
    code: str, needs: str | None, tmp_path: Path, digits_data: DeviceData
) -> None:
    if needs:
        pytest.importorskip(needs)
    found = fitted(own(tmp_path, code), digits_data)
    inputs = jnp.asarray(digits_data.inputs[:32], jnp.float32).reshape(32, 8, 8) / 16
    (first, after), (judged, before) = _both(found, inputs, keys(0, 0)[0])
    (second, _), (again, _) = _both(found, inputs, keys(0, 0)[1])
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(judged, again)
    # One example does not change what another comes to when it is judged.
    (_, _), (alone, _) = _both(found, inputs[:1], keys(0, 0)[0])
    np.testing.assert_allclose(alone[0], judged[0], rtol=1e-4, atol=1e-5)
    moved = [
        not np.array_equal(old, new)
        for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    ]
    assert any(moved)


@pytest.mark.parametrize(("code", "needs"), FRAMEWORKS)
def test_they_learn_to_the_bit_in_any_company_and_from_kept_states(
    code: str, needs: str | None, tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    if needs:
        pytest.importorskip(needs)
    task = task_of(small_task, own(tmp_path, code))
    learnable = parse('x * sigmoid(param("b", 1, per="channel") * x)')
    together = TrainingProgram([parse("relu(x)"), learnable], task, digits_data)
    begun, expected = (together.train(1, seed=2, steps=steps) for steps in (1, STEPS))
    assert isinstance(begun, Trained)
    assert isinstance(expected, Trained)
    gained = expected.result.validation_accuracy - begun.result.validation_accuracy
    assert gained > 0.5

    alone = TrainingProgram([learnable], task, digits_data)
    states = TrainingStates(tmp_path / "states", task="own", dataset="digits")
    alone.train(0, seed=2, steps=STEPS // 2, states=states)
    assert alone.train(0, seed=2, steps=STEPS, states=states) == expected


def test_what_a_network_remembers_is_not_the_optimiser_s(
    tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    runs = Runs([parse("relu(x)")], task_of(small_task, own(tmp_path, PAIR)), digits_data)
    begun = runs.begin(0, seed=0)
    assert sorted(begun.learnt.weights) == ["down", "middle", "up"]
    assert sorted(begun.state) == ["mean", "steps"]


MASKED = """
import equinox as eqx
import jax
import jax.numpy as jnp
from evaluators.networks import equinox_network

class Model(eqx.Module):
    up: eqx.nn.Linear
    mask: jax.Array
    key: jax.Array
    places: jax.Array
    activate: object = eqx.field(static=True)

    def __init__(self, activate, key):
        self.up, self.activate = eqx.nn.Linear(64, 10, key=key), activate
        self.mask, self.key = jax.random.bernoulli(key, 0.5, (64,)), key
        self.places = jnp.arange(64)

    def __call__(self, x):
        x = jax.random.permutation(self.key, jnp.where(self.mask, x.reshape(-1), 0.0))
        return self.up(self.activate(x[self.places]))

network = equinox_network(Model)
"""


def test_what_an_equinox_module_draws_without_training_it_is_of_each_seed(
    tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    equinox = pytest.importorskip("equinox")
    network = own(tmp_path, MASKED)
    found = fitted(network, digits_data)
    inputs = jnp.asarray(digits_data.inputs[:4], jnp.float32).reshape(4, 8, 8) / 16
    model = FileFunction.named("my_net.py:Model", folder=tmp_path).load()
    for seed in (0, 1, 2):
        made_of = jax.tree.map(jnp.asarray, found.init(seed, UNKNOWN))
        assert len(made_of[1]) == 2  # what is the same for every seed is none of it
        outputs, state = found.apply(made_of, (inputs, None), jnp.tanh)
        alone = model(jnp.tanh, key=jax.random.key(seed))
        np.testing.assert_allclose(outputs, jax.vmap(alone)(inputs), rtol=1e-5, atol=1e-6)
        assert equinox.tree_equal(state, made_of[1])
    program = TrainingProgram([parse("tanh(x)")], task_of(small_task, network), digits_data)
    assert isinstance(program.train(0, seed=1, steps=STEPS), Trained)


PLAIN_FLAX = NNX.replace("self.drop(", "(").replace("nnx.BatchNorm(", "nnx.LayerNorm(")


def test_a_module_that_learns_as_it_is_judged_has_one_way(
    tmp_path: Path, digits_data: DeviceData
) -> None:
    pytest.importorskip("flax")
    found = fitted(own(tmp_path, PLAIN_FLAX), digits_data)
    assert found.judged is None
    assert found.init(0, UNKNOWN)[1] == []


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        (
            'return weights, {"mean"',
            'return [weights, {"mean"',
            UserCodeError,
            r"my_net.py, line 6: since apply takes a state, init must return a pair \(weights",
        ),
        (
            '"steps": state["steps"] + 1}',
            '"step": state["steps"] + 1}',
            UserCodeError,
            r"line 6: apply must give a state of the form that init gives, .*'steps'.*got .*'step'",
        ),
        (
            "return activate(x - mean) @",
            "return (activate(x - mean) if training else x - mean) @",
            NetworkError,
            r"at the same places, .*: \[8, 24\], \[8, 24\] and \[8, 24\]$",
        ),
        (
            '@ weights["down"], state',
            '@ weights["down"]',
            UserCodeError,
            r"apply must return a pair \(outputs, state\), got ",
        ),
    ],
    ids=["init", "form", "calls", "apply"],
)
def test_mistakes_are_told(
    old: str,
    new: str,
    error: type[Exception],
    message: str,
    tmp_path: Path,
    digits_data: DeviceData,
) -> None:
    code = PAIR.replace(old, new)
    if new.startswith("return ["):
        code = code.replace("np.int32(0)}", "np.int32(0)}]")
    assert code != PAIR
    with pytest.raises(error, match=message):
        fitted(own(tmp_path, code), digits_data)
