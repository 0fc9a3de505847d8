"""Recipes: what is refused and why, and what schedules make of the steps."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from evaluators.datasets import Dataset
from evaluators.networks import Layer
from evaluators.recipes.recipe import Recipe
from evaluators.recipes.schedules import Schedule, Span
from evaluators.steps.batches import CHUNK, DeviceData
from evaluators.steps.optimizers import Optimizer
from evaluators.steps.progress import Learnt
from evaluators.tasks import Task
from evaluators.training.program import Trained, TrainingProgram
from evaluators.training.training_states import TrainingStates
from grammars import CATALOGUE, parse


def test_a_recipe_goes_to_json_and_back() -> None:
    recipe = Recipe("adamw", 3e-4, optimizer_arguments={"b2": 0.95}, schedule="decay")
    document = TypeAdapter(Recipe).dump_python(recipe, mode="json")
    assert document["optimizer_arguments"] == {"b2": 0.95}
    assert Recipe(**document) == recipe
    assert hash(replace(recipe, batch=64)) != hash(recipe)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"optimizer": "admw"}, "got 'admw'; did you mean 'adamw'?"),
        ({"optimizer": "lbfgs"}, "needs gradients only, got 'lbfgs'"),
        ({"optimizer": "softmax_cross_entropy"}, "optax has none of that name"),
        (
            {"optimizer": "sgd", "optimizer_arguments": {"momentun": 0.9}},
            "sgd has no such argument, got momentun = 0.9; did you mean 'momentum'?",
        ),
        ({"optimizer_arguments": {"learning_rate": 0.1}}, "settings of its own"),
        ({"optimizer_arguments": {"b1": "large"}}, "optimizer_arguments"),
        ({"learning_rate": 0.0}, "greater than 0"),
        ({"schedule": "step"}, "'constant', 'decay', 'cosine' or 'warmup'"),
        ({"decay_share": 1.5}, "less than or equal to 1"),
        ({"loss": "hinge"}, "cross_entropy, squared_error, and functions of your own"),
        ({"momentum": 0.9}, "momentum"),
    ],
    ids=lambda value: str(next(iter(value))) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        Recipe(**wrong)


def _rates(steps: int, **recipe: Any) -> np.ndarray:
    return Schedule(Recipe(learning_rate=1.0, **recipe), steps, 1.0).rates(0, steps)


def test_the_rates_of_each_schedule() -> None:
    assert (_rates(10) == 1.0).all()
    np.testing.assert_allclose(_rates(10, schedule="decay"), [*[1.0] * 9, 0.5])
    half = _rates(8, schedule="decay", decay_share=0.5)
    np.testing.assert_allclose(half, [1, 1, 1, 1, 1, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(
        _rates(4, schedule="cosine"), [1.0, 0.8535534, 0.5, 0.1464466], rtol=1e-6
    )
    warm = _rates(10, schedule="warmup", warmup_steps=4)
    np.testing.assert_allclose(warm, [0.25, 0.5, 0.75, *[1.0] * 6, 0.5])


@pytest.mark.parametrize("schedule", ["constant", "decay", "warmup"])
def test_a_short_run_is_the_beginning_of_a_long_one(schedule: str) -> None:
    recipe = Recipe(schedule=schedule, warmup_steps=7)
    for short, long in ((10, 11), (50, 400), (1, 2)):
        begun, gone_on = (Schedule(recipe, steps, 0.1) for steps in (short, long))
        assert begun.shared <= gone_on.shared
        shared = begun.shared
        np.testing.assert_array_equal(begun.rates(0, shared), gone_on.rates(0, shared))


def test_a_run_is_looked_at_after_the_same_steps_wherever_it_goes_on_from() -> None:
    schedule = Schedule(Recipe(schedule="decay"), 300, 0.1)
    stops = [100, 200, 240, 300]
    assert [span.stop for span in schedule.spans(0, chunk=100)] == stops
    assert list(schedule.spans(40, chunk=100))[:2] == [Span(40, 100), Span(100, 200)]
    assert list(schedule.spans(240, chunk=100)) == [Span(240, 300)]


@pytest.mark.parametrize("schedule", ["decay", "warmup", "cosine", "constant"])
def test_kept_states_and_batch_mates_change_no_bit_under_any_schedule(
    schedule: str, tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    recipe = replace(small_task.recipe, schedule=schedule, warmup_steps=30)
    task = replace(small_task, recipe=recipe)
    swish = parse('x * sigmoid(param("b", 1, per="layer") * x)')
    program = TrainingProgram([swish], task, digits_data)
    states = TrainingStates(tmp_path, task="small", dataset="digits")
    ladder = (30, 150, 3 * CHUNK)
    climbed = [program.train(0, seed=1, steps=steps, states=states) for steps in ladder]
    assert bool(list(tmp_path.iterdir())) is (schedule != "cosine")
    mates = [parse(CATALOGUE["pangaea_linear"].text), swish]
    anew = TrainingProgram(mates, task, digits_data)
    assert [anew.train(1, seed=1, steps=steps) for steps in ladder] == climbed
    constant = TrainingProgram([swish], small_task, digits_data).train(0, seed=1, steps=150)
    assert (climbed[1] == constant) is (schedule == "constant")


def test_one_program_trains_at_any_learning_rate(
    tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    program = TrainingProgram([parse("tanh(x)")], small_task, digits_data)
    states = TrainingStates(tmp_path, task="small", dataset="digits")
    for rate in (0.001, 0.004):
        recipe = replace(small_task.recipe, learning_rate=rate)
        of_its_own = TrainingProgram(
            [parse("tanh(x)")], replace(small_task, recipe=recipe), digits_data
        )
        expected = of_its_own.train(0, seed=1, steps=60)
        program.train(0, seed=1, steps=40, learning_rate=rate, states=states)
        assert program.train(0, seed=1, steps=60, learning_rate=rate, states=states) == expected
    assert program.train(0, seed=1, steps=60) != expected


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("adamw", weight_decay=10.0),
        Recipe("sgd", 0.1, optimizer_arguments={"momentum": 0.9, "nesterov": True}),
        Recipe("sgd", 0.1, weight_decay=0.01, clip_norm=0.5),
        Recipe("lion", 1e-4),
        Recipe("lamb", 1e-2),
        Recipe("adafactor", 1e-2, weight_decay=1e-4),
        Recipe("nadam", clip_norm=1.0),
    ],
    ids=lambda recipe: recipe.optimizer,
)
def test_optimisers_of_all_kinds_learn_alike_in_any_company(
    recipe: Recipe, small_task: Task, digits_data: DeviceData
) -> None:
    task = replace(small_task, recipe=replace(recipe, batch=32))
    swish = parse('x * sigmoid(param("b", 1, per="network") * x)')
    program = TrainingProgram([swish], task, digits_data)
    short, long = (program.train(0, seed=1, steps=steps) for steps in (1, 80))
    assert isinstance(short, Trained)
    assert isinstance(long, Trained)
    assert long.result.validation_loss < short.result.validation_loss
    assert long.result.parameters["b"][0] == long.result.parameters["b"][1] != 1.0
    mates = [parse(CATALOGUE["pangaea_linear"].text), swish, parse("relu(x)")]
    assert TrainingProgram(mates, task, digits_data).train(1, seed=1, steps=80) == long


def test_weight_decay_and_clipping_are_those_of_optax(
    small_task: Task, digits_data: DeviceData
) -> None:
    recipe = Recipe("sgd", 0.1, weight_decay=0.01, clip_norm=0.5)
    optimizer = Optimizer(recipe)
    random = np.random.default_rng(0)
    learnt, gradient = (
        Learnt([Layer(random.normal(size=(3, 4)), random.normal(size=3))], np.ones((1, 2, 3)))
        for _ in range(2)
    )
    after, _ = optimizer.step(learnt, optimizer.init(learnt), gradient=gradient, rate=0.1)
    (layer,), (slope,) = learnt.weights, gradient.weights
    norm = np.sqrt((slope.weights**2).sum() + (slope.biases**2).sum())
    clipped = [0.5 / norm * part for part in slope]
    np.testing.assert_allclose(
        after.weights[0].weights, layer.weights * (1 - 0.1 * 0.01) - 0.1 * clipped[0], rtol=1e-5
    )
    np.testing.assert_allclose(after.weights[0].biases, layer.biases - 0.1 * clipped[1], rtol=1e-5)


class Convolution(NamedTuple):
    """As Equinox's: its biases have as many axes as an image."""

    weight: np.ndarray
    bias: np.ndarray


def test_biases_with_several_axes_do_not_decay() -> None:
    convolution = Convolution(np.ones((4, 1, 3, 3)), np.ones((4, 1, 1)))
    learnt = Learnt(convolution, np.ones((1, 2, 3)))
    still = Learnt(*(jax.tree.map(np.zeros_like, part) for part in learnt))
    optimizer = Optimizer(Recipe("adamw", weight_decay=0.5))
    after, _ = optimizer.step(learnt, optimizer.init(learnt), gradient=still, rate=0.1)
    np.testing.assert_allclose(after.weights.weight, 0.95, rtol=1e-6)
    np.testing.assert_array_equal(after.weights.bias, 1.0)


def test_a_regression_is_judged_by_its_squared_error(small_task: Task, digits: Dataset) -> None:
    recipe = replace(small_task.recipe, loss="squared_error", learning_rate=0.01)
    task = replace(small_task, recipe=recipe)
    data = DeviceData(digits, batch=32, network=task.network, loss="squared_error")
    assert data.outputs == 1
    run = TrainingProgram([parse("relu(x)")], task, data).train(0, seed=1, steps=400)
    assert isinstance(run, Trained)
    variance = float(np.var(digits.validation.labels))
    assert run.result.validation_loss < 0.3 * variance
    explained = 1 - run.result.validation_loss / variance
    assert run.result.validation_accuracy == pytest.approx(explained)
