"""Tasks: every shipped file can be trained on its data, and a wrong one is told all at once."""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.datasets import Builtin, Dataset, load
from evaluators.datasets.array_cache import Split
from evaluators.networks import CNN, MLP, OwnNetwork
from evaluators.steps.batches import DeviceData, in_order
from evaluators.steps.fitting import fitted
from evaluators.tasks import (
    Recipe,
    Task,
    TaskError,
    UnknownTaskError,
    find_task,
    is_as_known_by_name,
    shipped_tasks,
    task_known_by_name,
    task_title,
)
from evaluators.training.program import Trained, TrainingProgram
from grammars import parse

_SHAPES = {
    "mnist": (28, 28),
    "fashion_mnist": (28, 28),
    "digits": (8, 8),
    "mnist1d": (40,),
    "mnist1d_large": (40,),
}
TASKS = [task for task in shipped_tasks().values() if task.data.name in _SHAPES]


def _random_data(dataset: str) -> Dataset:
    """As many examples as a batch needs, in the shape of the data set: no task needs more here."""
    random = np.random.default_rng(0)

    def split(size: int) -> Split:
        inputs = random.normal(size=(size, *_SHAPES[dataset])).astype(np.float32)
        return Split(inputs, random.integers(0, 10, size).astype(np.int32))

    return Dataset(dataset, split(256), split(100), classes=10, scale=1.0, source="random")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_trains_in_the_shape_of_its_data(task: Task) -> None:
    data = DeviceData(
        _random_data(task.data.name), batch=8, network=task.network, loss=task.recipe.loss
    )
    assert fitted(task.network, data).calls == task.network.hidden_layers
    assert task.description.isprintable()


CALIBRATED = [task for name, task in shipped_tasks().items() if name != "mnist-mlp-constant"]


@pytest.mark.parametrize("task", CALIBRATED, ids=lambda task: task.name)
def test_every_task_is_judged_after_a_decay_from_weights_that_suit_the_function(task: Task) -> None:
    assert task.recipe.schedule == "decay"
    assert getattr(task.network, "initialiser", None) == "gain"


@pytest.mark.parametrize("name", ["mnist-cnn", "mnist-deep"])
def test_the_larger_networks_learn(name: str) -> None:
    task = find_task(name)
    data = DeviceData(_random_data(task.data.name), batch=task.recipe.batch)
    run = TrainingProgram([parse("x * sigmoid(x)")], task, data).train(0, seed=0, steps=3)
    assert isinstance(run, Trained)
    assert np.isfinite(run.result.validation_loss)
    assert len(run.diagnostics.gradient_norms) == task.network.hidden_layers + 1
    assert all(norm > 0 for norm in run.diagnostics.gradient_norms)


def test_square_and_cosine_generalise_to_sums_that_relu_only_learns_by_heart() -> None:
    """After Gromov, Grokking modular arithmetic, 2023."""
    task = find_task("modular-addition")
    dataset = load(task.data)
    assert len(dataset.training.labels) == task.recipe.batch
    data = DeviceData(dataset, batch=task.recipe.batch, network=task.network)
    functions = ["square(x)", "cos(x)", "relu(x)"]
    program = TrainingProgram([parse(text) for text in functions], task, data)
    runs = [program.train(number, seed=0, steps=600) for number in range(3)]
    square, cosine, relu = (run.result.validation_accuracy for run in runs)
    assert min(square, cosine) > 0.85
    assert relu < 0.1


@pytest.mark.parametrize("task", [t for t in TASKS if t.data.name == "mnist"], ids=lambda t: t.name)
def test_tasks_on_mnist_take_the_embedded_digits_instead(task: Task) -> None:
    data = DeviceData(_random_data("digits"), batch=8, network=task.network, loss=task.recipe.loss)
    assert fitted(task.network, data).calls == task.network.hidden_layers


def test_an_unknown_task_is_told_the_nearest() -> None:
    with pytest.raises(UnknownTaskError, match=r"'mnist-mpl'; did you mean 'mnist-mlp'\?"):
        find_task("mnist-mpl")


def test_the_last_batch_of_a_split_is_filled_with_nothing() -> None:
    indices = in_order(10, 17, batch=4)
    assert indices.tolist() == [[10, 11, 12, 13], [14, 15, 16, -1]]


# What each name stood for while tasks were a table in the code.
OF_OLD = {
    "mnist-mlp": ("mnist", MLP((128, 128)), 128),
    "mnist-deep": ("mnist", MLP((64,) * 8, "gain"), 128),
    "mnist-cnn": ("mnist", CNN(8, 2, "gain"), 128),
    "fashion-mlp": ("fashion_mnist", MLP((128, 128)), 128),
    "fashion-deep": ("fashion_mnist", MLP((64,) * 8, "gain"), 128),
    "fashion-cnn": ("fashion_mnist", CNN(8, 2, "gain"), 128),
    "digits-mlp": ("digits", MLP((64, 64)), 64),
    "mnist1d-mlp": ("mnist1d", MLP((64, 64), "gain"), 64),
}


@pytest.mark.parametrize("name", OF_OLD)
def test_names_in_old_records_stand_for_what_they_did(name: str) -> None:
    data, network, batch = OF_OLD[name]
    task = task_known_by_name(name)
    assert (task.data, task.network, task.recipe) == (Builtin(data), network, Recipe(batch=batch))
    assert is_as_known_by_name(task)
    assert is_as_known_by_name(
        dataclasses.replace(task, recipe=Recipe(batch=batch, schedule="decay"))
    )
    assert not is_as_known_by_name(find_task(name))
    faster = task_known_by_name(f"{name}@0.003")
    assert (faster.name, faster.recipe.learning_rate) == (f"{name}@0.003", 0.003)
    assert faster.digest != task.digest


def test_the_large_mnist1d_is_not_learnt_by_heart() -> None:
    """After 3,200 steps the published set's validation loss has long been rising."""
    late = {}
    for name in ("mnist1d-mlp", "mnist1d-large-mlp"):
        task = find_task(name)
        data = DeviceData(load(task.data), batch=task.recipe.batch, network=task.network)
        program = TrainingProgram([parse("gelu(x)")], task, data)
        early, late[name] = (
            run.result.validation_loss
            for steps in (800, 3200)
            for run in [program.train(0, seed=0, steps=steps)]
        )
        assert (late[name] < early) == (name == "mnist1d-large-mlp"), name
    assert late["mnist1d-large-mlp"] < late["mnist1d-mlp"] / 1.5


def test_the_task_of_the_shipped_curves_is_what_they_know_by_name() -> None:
    assert find_task("mnist-mlp-constant").digest == task_known_by_name("mnist-mlp").digest


def test_a_task_survives_its_text_and_its_name_decides_nothing() -> None:
    task = find_task("mnist1d-mlp@0.01")
    assert Task.from_json(task.to_json()) == task
    renamed = dataclasses.replace(task, name="other", description="")
    assert renamed.digest == task.digest
    assert dataclasses.replace(task, network=MLP((64, 63))).digest != task.digest


def test_a_file_is_a_task_and_its_rate_can_be_another(tmp_path: Path) -> None:
    path = tmp_path / "my task.toml"
    path.write_text('[data]\nbuiltin = "digits"\n[network]\nkind = "mlp"\nhidden = [8, 8]\n')
    task = find_task(str(path))
    expected = Task(data=Builtin("digits"), network=MLP((8, 8)), name="my-task")
    assert task == expected
    assert find_task(f"{path}@0.5").recipe == Recipe(learning_rate=0.5)
    assert json.loads(task.to_json())["network"] == {
        "kind": "mlp",
        "hidden": [8, 8],
        "initialiser": "he",
        "biases": True,
    }


def test_a_wrong_file_gets_every_problem_at_once_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(
        """
        titel = "wrong"
        description = 3
        [data]
        builtin = 7
        [network]
        kind = "mpl"
        hidden = [8]
        [recipe]
        batch = 0
        learning_rat = 0.1
        """
    )
    with pytest.raises(TaskError) as caught:
        find_task(str(path))
    assert str(caught.value).splitlines() == [
        f"{path} has 6 problems:",
        "  data.builtin: input should be a valid string, got 7",
        "  network.kind: unknown, got 'mpl'; did you mean 'mlp'? there are mlp, cnn, residual_mlp, "
        "residual_cnn, transformer",
        "  recipe.batch: input should be greater than or equal to 1, got 0",
        "  recipe.learning_rat: unknown key; did you mean 'learning_rate'?",
        "  description: it must be a text, got 3",
        "  titel: unknown; there are name, description, data, network, recipe",
    ]


def test_a_file_without_its_tables_is_told_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("")
    with pytest.raises(
        TaskError,
        match=r"2 problems:\n  data: missing; it is required\n  network: missing; it is required",
    ):
        find_task(str(path))
    with pytest.raises(TaskError, match=r"cannot read the task .*absent.toml: No such file"):
        find_task(str(tmp_path / "absent.toml"))
    for rate in ("fast", "0", "1e9"):
        with pytest.raises(UnknownTaskError, match="a learning rate above 0 and at most 1,000,000"):
            find_task(f"digits-mlp@{rate}")


@pytest.mark.parametrize(
    ("name", "dataset", "title"),
    [
        ("mnist-mlp", "mnist", "mnist-mlp"),
        ("mnist-mlp", "digits", "mnist-mlp on digits"),
        ("mnist-mlp@0.003", "digits", "mnist-mlp@0.003 on digits"),
        ("spirals", "arrays", "spirals"),
    ],
)
def test_a_fallback_is_part_of_a_task_s_name(name: str, dataset: str, title: str) -> None:
    assert task_title(name, dataset) == title


def _pair(shape: tuple[int, ...], outputs: int, width: int = 8) -> Any:
    return shape, outputs, width


@dataclass(frozen=True)
class Made:
    """Called as a function that makes a network."""

    width: int = 8

    def __call__(self, shape: tuple[int, ...], outputs: int) -> Any:
        return shape, outputs, self.width


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [(functools.partial(_pair, width=3), functools.partial(_pair, width=4)), (Made(3), Made(4))],
    ids=["partial", "instance"],
)
def test_what_is_called_like_a_function_is_one(
    narrow: Any, wide: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tasks = [Task(data=Builtin("digits"), network=each) for each in (narrow, wide)]
    assert tasks[0].digest != tasks[1].digest
    assert isinstance(tasks[0].network, OwnNetwork)
    assert tasks[0].network.function.load()((8, 8), 10) == ((8, 8), 10, 3)
    assert Task.from_json(tasks[0].to_json()).digest == tasks[0].digest


@pytest.mark.parametrize(
    ("given", "arrived"),
    [
        ("mlp", "'mlp'"),
        (None, "None"),
        ((_pair, _pair), r"\(<function _pair at "),
        (Made, "the class Made"),
        (MLP, "the class MLP"),
        (functools.partial(Made, width=3), "the class Made"),
    ],
    ids=["text", "None", "pair", "class", "kind", "part of a class"],
)
def test_what_makes_no_network_is_told(given: Any, arrived: str) -> None:
    message = rf"^the network of a task is MLP\(...\) or .* a pair \(init, apply\), got {arrived}"
    with pytest.raises(TaskError, match=message):
        Task(data=Builtin("digits"), network=given)


def test_a_module_that_was_made_already_is_told() -> None:
    nnx = pytest.importorskip("flax.nnx")
    with pytest.raises(
        TaskError, match=r"flax_network\(Model\) .*got a module of the class Linear"
    ):
        Task(data=Builtin("digits"), network=nnx.Linear(3, 3, rngs=nnx.Rngs(0)))
