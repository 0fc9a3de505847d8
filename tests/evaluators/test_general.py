"""Networks of any kind: as automatic differentiation has them, and as the written-out pass has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from evaluators.datasets import Dataset, Split
from evaluators.networks import (
    CNN,
    MLP,
    Moments,
    Network,
    ResidualCNN,
    ResidualMLP,
    Transformer,
)
from evaluators.recipes.recipe import Recipe
from evaluators.steps.batches import DeviceData, batches
from evaluators.steps.fitting import NetworkError, fitted
from evaluators.steps.moments import mean_square
from evaluators.tasks import Task, shipped_tasks
from evaluators.training.program import Trained, TrainingProgram
from evaluators.training.training_states import TrainingStates
from grammars import CATALOGUE, by_layer, parse_activation, to_jax

STEPS = 12


@dataclass(frozen=True)
class Odd:
    """Calls its activation under `jit`, `vmap` and `scan`, and twice on the same numbers."""

    hidden_layers: int = 5

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        random = np.random.default_rng(seed)
        sizes = {"in": (64, 12), "mid": (2, 12, 12), "out": (12, outputs)}
        return {
            name: (0.3 * random.standard_normal(size)).astype(np.float32)
            for name, size in sizes.items()
        }

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        flat = inputs.reshape(len(inputs), -1)
        gated = jax.jit(lambda z: activate(z) * activate(0.5 * z))
        x = gated(flat @ weights["in"])
        x = x + jax.vmap(lambda row: activate(row[:4]).sum())(x)[:, None]

        def layer(x: Any, matrix: Any) -> tuple[Any, None]:
            return x + activate(x @ matrix), None

        x, _ = jax.lax.scan(layer, x, weights["mid"])
        return activate(jnp.tanh(x)) @ weights["out"]


@dataclass(frozen=True)
class Looped:
    """Calls its activation inside of a loop alone, by a function that JAX traces once, or twice."""

    is_traced_once: bool = True
    hidden_layers: int = 2

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        random = np.random.default_rng(seed)
        sizes = {"in": (64, 12), "mid": (3, 12, 12), "out": (12, outputs)}
        return {
            name: (0.3 * random.standard_normal(size)).astype(np.float32)
            for name, size in sizes.items()
        }

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        activated = jax.jit(activate) if self.is_traced_once else activate

        @jax.checkpoint
        def layer(x: Any, matrix: Any) -> tuple[Any, None]:
            return x + activated(0.5 * activated(x @ matrix)), None

        x, _ = jax.lax.scan(layer, inputs.reshape(len(inputs), -1) @ weights["in"], weights["mid"])
        return x @ weights["out"]


@dataclass(frozen=True)
class Spectral:
    """Keeps complex numbers beside what it gives its activation."""

    hidden_layers: int = 1

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        random = np.random.default_rng(seed)
        sizes = {"in": (64, 16), "out": (9, outputs)}
        return {
            name: (0.3 * random.standard_normal(size)).astype(np.float32)
            for name, size in sizes.items()
        }

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        waves = jnp.fft.rfft(inputs.reshape(len(inputs), -1) @ weights["in"])
        return jnp.abs(waves + activate(waves.real)) @ weights["out"]


KINDS: dict[str, Network] = {
    "spectral": Spectral(),
    "looped": Looped(),
    "residual_mlp": ResidualMLP(width=12, blocks=3),
    "residual_cnn": ResidualCNN(channels=6),
    "transformer": Transformer(patch=3, width=8, heads=2),
    "odd": Odd(),
}


def _program(texts: list[str], task: Task, data: DeviceData) -> TrainingProgram:
    return TrainingProgram([parse_activation(text) for text in texts], task, data)


def _plainly_trained(
    text: str, network: Network, recipe: Recipe, data: DeviceData, *, seed: int, steps: int
) -> tuple[float, list[dict[str, Any]]]:
    """As a textbook would: validation loss, and what each call's parameters became."""
    expressions = by_layer(parse_activation(text), network.hidden_layers)
    functions = [to_jax(expression) for expression in expressions]
    weights = network.init(
        seed,
        shape=data.shape,
        outputs=data.outputs,
        moments=Moments(data.mean_square, tuple(map(mean_square, expressions))),
    )
    channels: list[int] = []

    def outputs(learnt: Any, x: Any) -> Any:
        calls = iter(range(network.hidden_layers))

        def activate(z: Any) -> Any:
            call = next(calls)
            channels.append(z.shape[-1])
            return functions[call](z, learnt["parameters"][call])

        return network.apply(learnt["weights"], x, activate)

    def loss(learnt: Any, x: Any, labels: Any) -> Any:
        logits = outputs(learnt, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    # An array for each call; of what a network shares, gradients are added up.
    starts = [{p.name: jnp.float32(p.start) for p in e.parameters} for e in expressions]
    learnt = {"weights": weights, "parameters": starts}
    is_shared = all(p.per == "network" for e in expressions for p in e.parameters)
    optimizer = optax.adam(recipe.learning_rate)
    state = optimizer.init(learnt)
    inputs = (jnp.asarray(data.inputs, jnp.float32) * data.scale).reshape(-1, *data.shape)
    gradient_of = jax.jit(jax.grad(loss))
    order = batches(seed, start=0, steps=steps, batch=recipe.batch, examples=data.training)
    for chosen in order:
        gradient = gradient_of(learnt, inputs[chosen], data.labels[chosen])
        if is_shared:
            total = jax.tree.map(lambda *parts: sum(parts), *gradient["parameters"])
            gradient["parameters"] = [total] * len(starts)
        updates, state = optimizer.update(gradient, state)
        learnt = optax.apply_updates(learnt, updates)
    held_out = inputs[data.training :], data.labels[data.training :]
    return float(loss(learnt, *held_out)), learnt["parameters"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text",
    [
        'where(x >= 0, x, param("a", 0.25, per="layer") * x)',
        'param("a", 1, per="network") * tanh(x) + 0.1 * x',
        "layered",
    ],
    ids=["per layer", "per network", "layered"],
)
def test_every_kind_trains_as_automatic_differentiation_has_it(
    kind: str, text: str, small_task: Task, digits_data: DeviceData
) -> None:
    network = KINDS[kind]
    if text == "layered":
        parts = ["sin(x)", "x * sigmoid(x)", "tanh(x)", "relu(x)", "abs(x)"]
        text = f"[{', '.join(parts[: network.hidden_layers])}]"
    task = replace(small_task, network=network)
    plain = Looped(is_traced_once=False) if isinstance(network, Looped) else network
    loss, parameters = _plainly_trained(text, plain, task.recipe, digits_data, seed=3, steps=STEPS)
    run = _program([text, "relu(x)"], task, digits_data).train(0, seed=3, steps=STEPS)
    assert isinstance(run, Trained)
    assert run.result.validation_loss == pytest.approx(loss, rel=1e-4)
    for name, learnt in run.result.parameters.items():
        expected = [float(call[name]) for call in parameters]
        assert learnt == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_equal_to_the_bit_in_any_company_and_from_kept_states(
    kind: str, tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    recipe = replace(small_task.recipe, schedule="decay")
    task = replace(small_task, network=KINDS[kind], recipe=recipe)
    text = 'x * sigmoid(param("b", 1, per="channel") * x)'
    alone = _program([text], task, digits_data)
    states = TrainingStates(tmp_path, task=kind, dataset="digits")
    alone.train(0, seed=1, steps=5, states=states)
    run = alone.train(0, seed=1, steps=STEPS, states=states)
    others = [entry.text for entry in CATALOGUE.values() if "gelu(" not in entry.text]
    mates = [other for other in others if "param" not in other][:16]
    mates.append(CATALOGUE["pangaea_linear"].text)
    assert _program([*mates, text], task, digits_data).train(17, seed=1, steps=STEPS) == run
    assert isinstance(run, Trained)
    assert set(run.result.parameters) == {"b"}
    if kind == "looped":
        assert run.diagnostics is None, "of calls at the top there are none"
    else:
        assert run.diagnostics is not None
        assert all(norm > 0 for norm in run.diagnostics.gradient_norms)


def _random_data(task: Task) -> Dataset:
    """A few examples in the shape of the task's data."""
    random = np.random.default_rng(0)
    shape = _SHAPES[task.data.name]

    def split(size: int) -> Split:
        inputs = random.normal(size=(size, *shape)).astype(np.float32)
        return Split(inputs, random.integers(0, 10, size).astype(np.int32))

    return Dataset("random", split(256), split(100), classes=10, scale=1.0, source="random")


_SHAPES = {"mnist": (28, 28), "fashion_mnist": (28, 28), "digits": (8, 8), "mnist1d": (40,)}
# Tasks that differ in their data only are one.
CHAINS = {
    (task.network, task.recipe.loss, task.data.name in ("mnist", "fashion_mnist")): task
    for task in shipped_tasks().values()
    if isinstance(task.network, MLP | CNN) and task.data.name in _SHAPES
}


@pytest.mark.parametrize("task", CHAINS.values(), ids=lambda task: task.name)
def test_the_written_out_pass_and_the_general_one_agree(task: Task) -> None:
    data = DeviceData(_random_data(task), batch=32, network=task.network, loss=task.recipe.loss)
    text = 'where(x >= 0, x, param("a", 0.25, per="channel") * x)'
    fast = _program([text, "relu(x)"], task, data)
    not_written_out = replace(fitted(task.network, data), units=None)
    with mock.patch("evaluators.training.runs.fitted", return_value=not_written_out):
        general = _program([text, "relu(x)"], task, data)
    for index in (0, 1):
        runs = [program.train(index, seed=2, steps=4) for program in (fast, general)]
        first, second = runs
        assert isinstance(first, Trained)
        assert isinstance(second, Trained)
        assert second.result.validation_loss == pytest.approx(
            first.result.validation_loss, rel=1e-5
        )
        assert second.result.validation_accuracy == pytest.approx(
            first.result.validation_accuracy, abs=0.02
        )
        for name in first.result.parameters:
            assert second.result.parameters[name] == pytest.approx(first.result.parameters[name])
        assert first.diagnostics is not None
        assert second.diagnostics is not None
        for measure in ("dead_units", "saturated_units", "output_sparsity"):
            expected = getattr(first.diagnostics, measure)
            assert getattr(second.diagnostics, measure) == pytest.approx(expected, abs=0.002)
        for measure in ("mean_output", "gradient_norms"):
            expected = getattr(first.diagnostics, measure)
            assert getattr(second.diagnostics, measure) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    "network",
    [MLP(hidden=(24, 8)), MLP(hidden=(24, 24), biases=False), CNN(first_channels=3)],
    ids=["widths", "no biases", "odd sides"],
)
def test_chains_of_any_shape_train_on_the_general_pass(
    network: MLP | CNN, small_task: Task, digits: Dataset
) -> None:
    def cut(split: Split) -> Split:
        return Split(np.ascontiguousarray(split.inputs[:, :7, :5]), split.labels)

    odd = replace(digits, training=cut(digits.training), validation=cut(digits.validation))
    data = DeviceData(odd, batch=32, network=network)
    task = replace(small_task, network=network)
    program = _program(["relu(x)"], task, data)
    short, long = (program.train(0, seed=1, steps=steps) for steps in (1, 500))
    assert isinstance(short, Trained)
    assert isinstance(long, Trained)
    assert long.result.validation_loss < 0.7 * short.result.validation_loss


@dataclass(frozen=True)
class Broken(Odd):
    """Returns another shape, or never calls its activation."""

    fault: str = ""

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        if self.fault == "shape":
            return super().apply(weights, inputs, activate)[:, :-1]
        return inputs.reshape(len(inputs), -1) @ weights["in"][:, :10]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("shape", r"must return one array of shape \[8, 10\] for 8 examples .* got \[8, 9\]"),
        ("silent", "never calls the activation"),
    ],
)
def test_networks_that_cannot_be_trained_are_refused(
    fault: str, message: str, small_task: Task, digits_data: DeviceData
) -> None:
    task = replace(small_task, network=Broken(fault=fault))
    with pytest.raises(NetworkError, match=message):
        _program(["relu(x)"], task, digits_data)


def test_gain_gives_each_call_a_fair_start(small_task: Task, digits_data: DeviceData) -> None:
    """A function that shrinks its inputs tenfold moves the outputs as much as one that doesn't."""
    network = Transformer(patch=4, width=16, heads=2)
    starts = [
        network.init(0, shape=(8, 8), outputs=10, moments=Moments(1.0, (square, square)))
        for square in (1.0, 0.01)
    ]
    for block, other in zip(starts[0]["blocks"], starts[1]["blocks"], strict=True):
        np.testing.assert_allclose(
            10 * block["down"]["weights"], other["down"]["weights"], rtol=1e-6
        )
        np.testing.assert_array_equal(block["up"]["weights"], other["up"]["weights"])
