"""Trains a task's network with tabulated activations: real training with nothing to compile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from evaluators.datasets import load
from evaluators.networks import Layer, Moments
from evaluators.recipes.schedules import Schedule
from evaluators.steps.batches import DeviceData, batches
from evaluators.steps.moments import mean_square
from evaluators.tasks import find_task
from grammars import Activation, Expression, by_layer, evaluate

KNOTS: Final = 4097
REACH: Final = 12.0

Layers = list[Layer]


class Tabulated:
    """Scores functions without trainable parameters on a task, nearly as the evaluator does.

    Network, initial weights, order of the examples and optimiser are the task's own; only the
    function is its values on 4,097 points of [-12, 12], joined by straight lines that go on beyond
    the ends. The table is data, so one program trains every function. Compiling each function
    costs ten times as much as training it so briefly, and comparing strategies takes tens of
    thousands of evaluations. `tests.benchmarks.agreement` says how far the two agree.
    """

    def __init__(self, task: str, *, steps: int) -> None:
        self._task, self._steps = find_task(task), steps
        self._data = DeviceData(
            load(self._task.data), batch=self._task.recipe.batch, network=self._task.network
        )
        self._train = jax.jit(self._train_traced)
        self._memory: dict[tuple[str, int], float | None] = {}

    def loss(self, activation: Activation, *, seed: int) -> float | None:
        """Validation loss in nats after training, None if it diverged; remembered by the text."""
        key = (str(activation), seed)
        if key not in self._memory:
            functions = by_layer(activation, self._task.network.hidden_layers)
            with np.errstate(all="ignore"):
                knots = np.linspace(-REACH, REACH, KNOTS)
                tables = np.float32([evaluate(function, knots) for function in functions])
            loss = float(self._train(tables, self._start(functions, seed), self._order(seed)))
            self._memory[key] = loss if math.isfinite(loss) else None
        return self._memory[key]

    def _start(self, functions: Sequence[Expression], seed: int) -> Layers:
        data, random = self._data, np.random.default_rng(seed)
        moments = Moments(data.mean_square, tuple(map(mean_square, functions)))
        return self._task.network.start(
            random, shape=data.shape, classes=data.outputs, moments=moments
        )

    def _order(self, seed: int) -> np.ndarray:
        return batches(
            seed,
            start=0,
            steps=self._steps,
            batch=self._task.recipe.batch,
            examples=self._data.training,
        )

    def _train_traced(self, tables: Array, layers: Any, order: Array) -> Array:
        recipe = self._task.recipe
        rates = Schedule(recipe, self._steps, recipe.learning_rate).rates(0, self._steps)
        optimizer = optax.adam(lambda number: jnp.asarray(rates)[number])
        training, total = self._data.training, self._data.training + self._data.validation

        def step(number: Array, carried: tuple[Any, Any]) -> tuple[Any, Any]:
            layers, state = carried
            gradient = jax.grad(self._loss)(layers, tables, order[number])
            updates, state = optimizer.update(gradient, state)
            return optax.apply_updates(layers, updates), state

        layers, _ = lax.fori_loop(0, self._steps, step, (layers, optimizer.init(layers)))
        return self._loss(layers, tables, jnp.arange(training, total))

    def _loss(self, layers: Any, tables: Array, chosen: Array) -> Array:
        network, data = self._task.network, self._data
        signal = jnp.asarray(data.inputs)[chosen].astype(jnp.float32) * np.float32(data.scale)
        for number, layer in enumerate(layers[:-1]):
            signal = _looked_up(
                tables[number], network.apply_layer(number, layer, signal, shape=data.shape)
            )
        logits = network.apply_layer(len(layers) - 1, layers[-1], signal, shape=data.shape)
        labels = jnp.asarray(data.labels)[chosen]
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def _looked_up(table: Array, x: Array) -> Array:
    """The piecewise linear function through the table, whose slope is that of its pieces."""
    position = (x + REACH) * ((KNOTS - 1) / (2.0 * REACH))
    left = lax.stop_gradient(jnp.clip(jnp.floor(position), 0, KNOTS - 2)).astype(jnp.int32)
    low = table[left]
    value: Array = low + (table[left + 1] - low) * (position - left)
    return value
