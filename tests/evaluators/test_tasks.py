"""The table of tasks: every entry can be trained on its data set, and a misspelt one is helped."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.batches import DeviceData, in_order
from evaluators.datasets import Dataset
from evaluators.datasets.array_cache import Split
from evaluators.tasks import TASKS, Task, UnknownTaskError, find_task
from evaluators.training import Trained, TrainingProgram
from grammars import parse

_SHAPES = {"mnist": (28, 28), "fashion_mnist": (28, 28), "digits": (8, 8), "mnist1d": (40,)}


def _random_data(dataset: str) -> Dataset:
    """As many examples as a batch needs, in the shape of the data set: no task needs more here."""
    random = np.random.default_rng(0)

    def split(size: int) -> Split:
        inputs = random.normal(size=(size, *_SHAPES[dataset])).astype(np.float32)
        return Split(inputs, random.integers(0, 10, size).astype(np.int32))

    return Dataset(dataset, split(256), split(100), classes=10, scale=1.0, source="random")


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_every_task_trains_in_the_shape_of_its_data(task: Task) -> None:
    units = task.network.units(_SHAPES[task.dataset])
    assert all(units % count == 0 for count in task.network.channels(_SHAPES[task.dataset]))
    assert task.description.isprintable()


@pytest.mark.parametrize("name", ["mnist-cnn", "mnist-deep"])
def test_the_larger_networks_learn(name: str) -> None:
    task = find_task(name)
    data = DeviceData(_random_data(task.dataset), batch=task.recipe.batch)
    run = TrainingProgram([parse("x * sigmoid(x)")], task, data).train(0, seed=0, steps=3)
    assert isinstance(run, Trained)
    assert np.isfinite(run.result.validation_loss)
    assert len(run.diagnostics.gradient_norms) == task.network.hidden_layers + 1
    assert all(norm > 0 for norm in run.diagnostics.gradient_norms)


@pytest.mark.parametrize("task", [t for t in TASKS.values() if t.dataset == "mnist"])
def test_tasks_on_mnist_take_the_embedded_digits_instead(task: Task) -> None:
    assert task.network.units(_SHAPES["digits"]) > 0


def test_an_unknown_task_is_told_the_nearest() -> None:
    with pytest.raises(UnknownTaskError, match=r"'mnist-mpl'; did you mean 'mnist-mlp'\?"):
        find_task("mnist-mpl")


def test_the_last_batch_of_a_split_is_filled_with_nothing() -> None:
    indices = in_order(10, 17, batch=4)
    assert indices.tolist() == [[10, 11, 12, 13], [14, 15, 16, -1]]
