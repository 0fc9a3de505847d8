"""Trains digits-mlp with tabulated activations: real training with nothing to compile."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from evaluators.datasets import load
from grammars import Expression, evaluate

KNOTS: Final = 4097
REACH: Final = 12.0
WIDTH: Final = 64
LAYERS: Final = 2
BATCH: Final = 64
LEARNING_RATE: Final = 1e-3

Layers = list[tuple[Any, Any]]


class TabulatedDigits:
    """Scores functions without trainable parameters on scikit-learn's digits.

    A function is its values on 4,097 points of [-12, 12], joined by straight lines that go on
    beyond the ends. The table is data, so one program trains every function. Compiling each
    function costs ten times as much as training it so briefly; comparing strategies takes tens of
    thousands of evaluations.
    """

    def __init__(self, *, steps: int) -> None:
        dataset = load("digits")
        self._steps = steps
        self._training = _flat(dataset.training, dataset.scale)
        self._validation = _flat(dataset.validation, dataset.scale)
        self._train = jax.jit(self._train_traced)
        self._memory: dict[tuple[str, int], float | None] = {}

    def loss(self, expression: Expression, *, seed: int) -> float | None:
        """Validation loss in nats after training, None if it diverged; remembered by the text."""
        key = (str(expression), seed)
        if key not in self._memory:
            with np.errstate(all="ignore"):
                table = np.float32(evaluate(expression, np.linspace(-REACH, REACH, KNOTS)))
            loss = float(self._train(table, *self._luck(seed)))
            self._memory[key] = loss if math.isfinite(loss) else None
        return self._memory[key]

    def _luck(self, seed: int) -> tuple[Layers, np.ndarray]:
        """Initial weights and the order of the examples."""
        generator = np.random.default_rng(seed)
        sizes = [self._training[0].shape[1], *[WIDTH] * LAYERS, 10]
        layers = [
            (
                np.float32(generator.normal(0.0, math.sqrt(2.0 / wide), (wide, narrow))),
                np.zeros(narrow, np.float32),
            )
            for wide, narrow in pairwise(sizes)
        ]
        examples = len(self._training[0])
        epochs = -(-self._steps * BATCH // examples)
        order = np.concatenate([generator.permutation(examples) for _ in range(epochs)])
        return layers, order[: self._steps * BATCH].reshape(self._steps, BATCH).astype(np.int32)

    def _train_traced(self, table: Array, layers: Any, order: Array) -> Array:
        optimizer = optax.adam(LEARNING_RATE)
        inputs, labels = self._training

        def step(number: Array, carried: tuple[Any, Any]) -> tuple[Any, Any]:
            layers, state = carried
            chosen = order[number]
            gradient = jax.grad(_loss)(layers, table, inputs[chosen], labels[chosen])
            updates, state = optimizer.update(gradient, state)
            return optax.apply_updates(layers, updates), state

        layers, _ = lax.fori_loop(0, self._steps, step, (layers, optimizer.init(layers)))
        return _loss(layers, table, *self._validation)


def _flat(split: Any, scale: float) -> tuple[Array, Array]:
    flat = np.float32(split.inputs.reshape(len(split.inputs), -1)) * np.float32(scale)
    return jnp.asarray(flat), jnp.asarray(split.labels, jnp.int32)


def _loss(layers: Any, table: Array, inputs: Array, labels: Array) -> Array:
    signal = inputs
    for weights, biases in layers[:-1]:
        signal = _looked_up(table, signal @ weights + biases)
    weights, biases = layers[-1]
    logits = signal @ weights + biases
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def _looked_up(table: Array, x: Array) -> Array:
    """The piecewise linear function through the table, whose slope is that of its pieces."""
    position = (x + REACH) * ((KNOTS - 1) / (2.0 * REACH))
    left = lax.stop_gradient(jnp.clip(jnp.floor(position), 0, KNOTS - 2)).astype(jnp.int32)
    low = table[left]
    value: Array = low + (table[left + 1] - low) * (position - left)
    return value
