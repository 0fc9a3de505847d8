"""A loss of a user's own: as the shipped ones where it says the same, and refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluators.datasets import Arrays, load
from evaluators.networks import MLP
from evaluators.reading.functions import UserCodeError
from evaluators.steps.batches import DeviceData
from evaluators.tasks import Task, TaskError, find_task
from evaluators.training.program import TrainingProgram
from evaluators.training.runs import Trained
from grammars import parse

OWN = """
import jax
import jax.numpy as jnp

def cross_entropy(outputs, targets):
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), targets[:, None], axis=1)[:, 0]

def squared(outputs, targets):
    return ((outputs - targets) ** 2).mean(axis=1)

def negative(outputs, targets):
    return -1.0 - squared(outputs, targets)

def mean(outputs, targets):
    return squared(outputs, targets).mean()

def broken(outputs, targets):
    return outputs @ targets
"""
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 3))
LABELS, NUMBERS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0), X[:, :2] * X[:, 1:] + 0.1


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def task_with(loss: str, folder: Path, *, hidden: str = "[16, 16]") -> Task:
    (folder / "my_loss.py").write_text(OWN)
    (folder / "my.toml").write_text(
        f'[data]\nbuiltin = "diabetes"\n[network]\nkind = "mlp"\nhidden = {hidden}\n'
        f'[recipe]\nbatch = 32\nloss = "{loss}"\n'
    )
    return find_task(str(folder / "my.toml"))


def trained(task: Task, y: np.ndarray) -> Trained:
    task = replace(task, data=Arrays(X, y))
    data = DeviceData(load(task.data), batch=32, network=task.network, loss=task.recipe.loss)
    run = TrainingProgram([parse("tanh(x)")], task, data).train(0, seed=1, steps=30)
    assert isinstance(run, Trained)
    return run


@pytest.mark.parametrize("hidden", ["[16, 16]", "[16, 8]"], ids=["written out", "general"])
@pytest.mark.parametrize(
    ("own", "shipped", "y"),
    [("cross_entropy", "cross_entropy", LABELS), ("squared", "squared_error", NUMBERS)],
)
def test_it_trains_as_the_shipped_one_does(
    own: str, shipped: str, y: np.ndarray, hidden: str, tmp_path: Path
) -> None:
    mine, theirs = (
        trained(task_with(loss, tmp_path, hidden=hidden), y).result
        for loss in (f"my_loss.py:{own}", shipped)
    )
    assert mine.validation_loss == pytest.approx(theirs.validation_loss, rel=1e-4)
    assert mine.validation_accuracy == pytest.approx(theirs.validation_accuracy, rel=1e-4)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("mean", r"my_loss.py, line 14: mean must return a loss for each .* \[32\] .* shape \[\]"),
        ("broken", r"my_loss.py, line 18: computing the loss raised TypeError: "),
        ("negative", r"my_loss.py, line 11: negative must return losses of at least 0, .* got -"),
        ("absent", r"my_loss.py, line 1: the file has no function 'absent'"),
    ],
)
def test_what_is_no_loss_is_told_with_file_and_line(
    loss: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserCodeError, match=message):
        trained(task_with(f"my_loss.py:{loss}", tmp_path), NUMBERS)


def test_an_unknown_loss_is_told_at_its_place(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"recipe.loss: there are cross_entropy, squared_error, an"):
        task_with("cross_entrpy", tmp_path)
    with pytest.raises(TaskError, match=r"recipe.loss: cannot read .*nowhere.py"):
        task_with("nowhere.py:loss", tmp_path)


def test_its_content_decides_and_it_is_written_with_the_task(tmp_path: Path) -> None:
    task = task_with("my_loss.py:squared", tmp_path)
    assert Task.from_json(task.to_json()) == task
    assert [function.name for function in task.functions] == ["squared"]
    (tmp_path / "elsewhere").mkdir()
    assert task_with("my_loss.py:squared", tmp_path / "elsewhere").digest == task.digest
    assert task_with("my_loss.py:mean", tmp_path).digest != task.digest
    given = replace(task, recipe=replace(task.recipe, loss=lambda outputs, targets: outputs[:, 0]))
    assert Task.from_json(given.to_json()) == given
    assert given.digest != task.digest
    assert isinstance(given.network, MLP)
