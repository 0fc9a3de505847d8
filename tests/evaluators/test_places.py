"""A class for each place in an example: the next token of a sequence, a pixel's kind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from evaluators.datasets import Arrays, load
from evaluators.networks import MLP, read_network
from evaluators.recipes.losses import summed
from evaluators.steps.batches import DeviceData
from evaluators.steps.fitting import NetworkError, fitted
from evaluators.tasks import Task, find_task
from evaluators.training.program import Trained, TrainingProgram
from grammars import parse

TOKENS, LENGTH = 7, 6
RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, TOKENS, (400, LENGTH))
Y = (3 * X + 2) % 5

NETWORK = """
import numpy as np

def network(shape, outputs):
    def init(seed):
        random = np.random.default_rng(seed)
        draw = lambda a, b: random.normal(0, 0.5, (a, b)).astype("float32")
        return {"token": draw(7, 16), "out": draw(16, outputs)}

    def apply(weights, inputs, activate):
        return activate(weights["token"][inputs.astype("int32")]) @ weights["out"]

    return init, apply
"""
LOSS = """
import jax
import jax.numpy as jnp

def smoothed(outputs, targets):
    wanted = 0.9 * jax.nn.one_hot(targets, outputs.shape[-1]) + 0.1 / outputs.shape[-1]
    return -(wanted * jax.nn.log_softmax(outputs)).sum(axis=-1).mean(axis=1)
"""
DATA = Arrays(X, Y, standardise=False)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def task_in(folder: Path, *, loss: str = "cross_entropy") -> Task:
    (folder / "net.py").write_text(NETWORK)
    (folder / "loss.py").write_text(LOSS)
    np.savez(folder / "tokens.npz", x=X, y=Y)
    (folder / "tokens.toml").write_text(
        '[data]\narrays = "tokens.npz"\nstandardise = false\n[network]\nfunction = "net.py:network"'
        f'\n[recipe]\nlearning_rate = 0.01\nbatch = 32\nloss = "{loss}"\n'
    )
    return find_task(str(folder / "tokens.toml"))


def data_of(task: Task) -> DeviceData:
    dataset = load(task.data)
    return DeviceData(dataset, batch=32, network=task.network, loss=task.recipe.loss)


@pytest.mark.parametrize("loss", ["cross_entropy", "loss.py:smoothed"])
def test_a_network_learns_the_class_of_each_place(loss: str, tmp_path: Path) -> None:
    task = task_in(tmp_path, loss=loss)
    data = data_of(task)
    assert (data.outputs, data.places, data.scale) == (5, (LENGTH,), 1.0)
    program = TrainingProgram([parse("tanh(x)"), parse("relu(x)")], task, data)
    begun, learnt = (program.train(1, seed=0, steps=steps) for steps in (1, 200))
    assert isinstance(begun, Trained)
    assert isinstance(learnt, Trained)
    assert begun.result.validation_accuracy < 0.5
    assert learnt.result.validation_accuracy == 1.0
    assert learnt.result.validation_loss < 0.5 * begun.result.validation_loss


def test_an_example_counts_by_the_mean_over_its_places() -> None:
    logits = jnp.asarray(RANDOM.normal(size=(4, 3, 2, 5)), jnp.float32)
    labels = jnp.asarray(RANDOM.integers(0, 5, (4, 3, 2)), jnp.int32)
    present = jnp.asarray([True, True, True, False])

    def mean_loss(logits: jax.Array) -> jax.Array:
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return jnp.where(present, losses.mean(axis=(1, 2)), 0.0).sum() / 4

    before = jnp.ones(4), jnp.zeros(4)
    losses, hits, gradient = summed("cross_entropy")(*before, logits, labels, present)
    np.testing.assert_allclose(float((losses - 1).sum() / 4), mean_loss(logits), rtol=1e-5)
    np.testing.assert_allclose(gradient, jax.grad(mean_loss)(logits), rtol=1e-4, atol=1e-7)
    right = (np.argmax(logits, axis=-1) == labels).mean(axis=(1, 2))
    np.testing.assert_allclose(hits, np.where(present, right, 0.0), rtol=1e-6)


def test_what_gives_one_class_an_example_is_refused(tmp_path: Path) -> None:
    task = task_in(tmp_path)
    chain = replace(task, network=MLP((8, 8)))
    with pytest.raises(
        NetworkError, match=r"outputs of shape \[5\], .* \[6, 5\] are wanted, since"
    ):
        fitted(chain.network, data_of(chain))
    (tmp_path / "net.py").write_text(
        NETWORK.replace('@ weights["out"]', '.mean(1) @ weights["out"]')
    )
    pooled = read_network({"function": "net.py:network"}, folder=tmp_path)
    with pytest.raises(NetworkError, match=r"shape \[8, 6, 5\] for 8 examples .* got \[8, 5\]"):
        fitted(pooled, data_of(task))


def test_texts_are_classes_of_places_as_well() -> None:
    dataset = load(Arrays(X, np.array([*"abcde"])[Y], standardise=False))
    np.testing.assert_array_equal(dataset.training.labels, (3 * dataset.training.inputs + 2) % 5)


_MANY_OUTPUTS = """
import numpy as np
from dataclasses import replace
from evaluators.datasets import Dataset
from evaluators.datasets.array_cache import Split
from evaluators.steps.batches import DeviceData
from evaluators.tasks import find_task
from evaluators.training.program import TrainingProgram
from grammars import parse

inputs = np.random.default_rng(0).normal(size=(96, 40)).astype(np.float32)
split = Split(inputs, np.arange(96, dtype=np.int32))
dataset = Dataset("random", split, split, classes=96, scale=1.0, source="random")
task = find_task("mnist1d-residual")
program = TrainingProgram([parse("relu(x)")], task, DeviceData(dataset, batch=96))
print(program.train(0, seed=0, steps=1).result.validation_loss)
"""


def test_many_outputs_are_no_hindrance_to_a_single_thread() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MANY_OUTPUTS],
        env=os.environ | {"PJRT_NPROC": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert 3.0 < float(done.stdout) < 7.0  # the logarithm of 96 is 4.6
