"""The compiled training programs: one for a whole batch of candidates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from evaluators.datasets import Dataset, Split
from evaluators.evaluation import SeedResult
from evaluators.tasks import Task
from grammars import Expression, to_jax, with_partials
from grammars.expression import SCOPES

# Steps between two looks at divergence; one compiled loop runs up to so many.
CHUNK: Final = 100

Progress = dict[str, Any]
"""What training changes: the layers, the trainable parameters, the state of the optimiser."""


@dataclass(frozen=True)
class Divergence:
    """A training run that was given up.

    Attributes:
        seed: Of the run.
        step: By which its loss had ceased to be a finite number.
    """

    seed: int
    step: int


@lru_cache(maxsize=64)
def _epoch(seed: int, epoch: int, examples: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(examples).astype(np.int32)


def batches(seed: int, *, start: int, steps: int, batch: int, examples: int) -> np.ndarray:
    """Which examples each step sees: every epoch is a new permutation, its rest left out.

    Args:
        seed: Of the training run.
        start: Number of the first step, counted from 0.
        steps: How many steps.
        batch: Examples a step.
        examples: Size of the training split.

    Returns:
        Indices [steps, batch], int32; they depend on nothing but the arguments.
    """
    per_epoch = examples // batch
    rows = []
    for step in range(start, start + steps):
        order = _epoch(seed, step // per_epoch, examples)
        first = step % per_epoch * batch
        rows.append(order[first : first + batch])
    return np.stack(rows)


class DeviceData:
    """A data set on the device, flattened to [examples, features] and scaled where it is used."""

    def __init__(self, dataset: Dataset) -> None:
        self.training = _on_device(dataset.training)
        self.validation = _on_device(dataset.validation)
        self.scale = dataset.scale
        self.classes = dataset.classes
        self.features = int(self.training[0].shape[1])
        self.examples = int(self.training[0].shape[0])


def _on_device(split: Split) -> tuple[Array, Array]:
    flat = split.inputs.reshape(len(split.inputs), -1)
    return jnp.asarray(flat), jnp.asarray(split.labels, dtype=jnp.int32)


class TrainingProgram:
    """Trains any of a batch of candidates, one at a time, without compiling again.

    All candidates are branches of one `lax.switch` on a run-time index, and steps and seeds are
    run-time arguments too, so XLA compiles once for a whole batch and every fidelity. Each branch
    computes f together with f' and the partial derivatives by its trainable parameters in the
    forward pass, so that the backward pass is a multiplication.

    A candidate's results don't depend on the others in the batch: a branch is compiled by itself.
    """

    def __init__(self, expressions: Sequence[Expression], task: Task, data: DeviceData) -> None:
        """Compiles the program; takes from a tenth of a second to some seconds a candidate."""
        self._task, self._data = task, data
        self._optimizer = optax.adam(task.recipe.learning_rate)
        self._slots = max(len(expression.parameters) for expression in expressions)
        self._branches = [_branch(expression) for expression in expressions]
        self._starts = np.zeros((len(expressions), self._slots), np.float32)
        self._scopes = np.zeros((len(expressions), self._slots), np.int32)
        for row, expression in enumerate(expressions):
            for slot, parameter in enumerate(expression.parameters):
                self._starts[row, slot] = parameter.start
                self._scopes[row, slot] = SCOPES.index(parameter.per)
        self._compile()

    def _compile(self) -> None:
        """Compiles ahead of time, so that its cost is known and no run pays for another."""
        index, count = np.int32(0), np.int32(0)
        indices = np.zeros((CHUNK, self._task.recipe.batch), np.int32)
        data, scopes, progress = self._data, self._scopes[0], self._start(0, seed=0)
        advance = jax.jit(self._advance_traced, donate_argnums=1)
        self._advance = advance.lower(
            index, progress, scopes, data.training, indices, count
        ).compile()
        validate = jax.jit(self._validate_traced)
        self._validate = validate.lower(index, progress, data.validation).compile()

    def train(self, index: int, *, seed: int, steps: int) -> SeedResult | Divergence:
        """One training run from scratch.

        Args:
            index: Which candidate.
            seed: Of the initial weights and the order of the data.
            steps: Optimiser steps.

        Returns:
            The validation result; a divergence as soon as one is seen, at the end of a chunk.
        """
        chosen = np.int32(index)
        progress = self._start(index, seed)
        for first in range(0, steps, CHUNK):
            count = min(CHUNK, steps - first)
            recipe = self._task.recipe
            indices = np.zeros((CHUNK, recipe.batch), np.int32)
            indices[:count] = batches(
                seed,
                start=first,
                steps=count,
                batch=recipe.batch,
                examples=self._data.examples,
            )
            progress, loss = self._advance(
                chosen,
                progress,
                self._scopes[index],
                self._data.training,
                indices,
                np.int32(count),
            )
            if not math.isfinite(float(loss)):
                return Divergence(seed, first + count)
        loss, accuracy = self._validate(chosen, progress, self._data.validation)
        if not math.isfinite(float(loss)):
            return Divergence(seed, steps)
        return SeedResult(seed, float(loss), float(accuracy))

    def _start(self, index: int, seed: int) -> Progress:
        """Initial weights, and every channel's copy of the trainable parameters [slots, width]."""
        network = self._task.network
        layers = network.start(
            np.random.default_rng(seed), inputs=self._data.features, classes=self._data.classes
        )
        parameters = [np.tile(self._starts[index][:, None], (1, w)) for w in network.hidden]
        learnt = jax.device_put({"layers": layers, "parameters": parameters})
        return {**learnt, "optimizer": self._optimizer.init(learnt)}

    def _loss(self, learnt: Any, index: Array, inputs: Array, labels: Array) -> tuple[Array, Array]:
        """Mean cross-entropy in nats, and the logits."""
        activation = _switched(self._branches, index)
        logits = self._task.network.logits(
            learnt["layers"],
            inputs.astype(jnp.float32) * self._data.scale,
            lambda x, layer: activation(x, learnt["parameters"][layer]),
        )
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), logits

    def _advance_traced(
        self,
        index: Array,
        progress: Progress,
        scopes: Array,
        training: tuple[Array, Array],
        indices: Array,
        count: Array,
    ) -> tuple[Progress, Array]:
        """Runs `count` steps; also returns the last step's training loss."""
        inputs, labels = training

        def step(number: Array, carried: tuple[Progress, Array]) -> tuple[Progress, Array]:
            progress, _ = carried
            learnt = {name: progress[name] for name in ("layers", "parameters")}
            chosen = indices[number]
            (loss, _), gradient = jax.value_and_grad(self._loss, has_aux=True)(
                learnt, index, inputs[chosen], labels[chosen]
            )
            gradient["parameters"] = _tied(gradient["parameters"], scopes)
            updates, optimizer = self._optimizer.update(gradient, progress["optimizer"])
            return {**optax.apply_updates(learnt, updates), "optimizer": optimizer}, loss

        carried: tuple[Progress, Array]
        carried = lax.fori_loop(0, count, step, (progress, jnp.float32(0.0)))
        return carried

    def _validate_traced(
        self, index: Array, progress: Progress, validation: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        inputs, labels = validation
        loss, logits = self._loss(progress, index, inputs, labels)
        return loss, jnp.mean(jnp.argmax(logits, axis=1) == labels)


@dataclass(frozen=True)
class _Branch:
    """One candidate as the two functions that a `lax.switch` chooses among.

    Both take `x` [batch, width] and its trainable parameters [slots, width].
    """

    value: Callable[[Array, Array], Array]
    value_and_partials: Callable[[Array, Array], tuple[Array, Array, Array]]


def _branch(expression: Expression) -> _Branch:
    names = [parameter.name for parameter in expression.parameters]
    value, partials = to_jax(expression), with_partials(expression)

    def named(slots: Array) -> dict[str, Array]:
        return {name: slots[number] for number, name in enumerate(names)}

    # Traced once for each shape, however many layers share it.
    @jax.jit
    def value_and_partials(x: Array, slots: Array) -> tuple[Array, Array, Array]:
        f, slope, by_parameter = partials(x, named(slots))
        rows = [by_parameter[name] for name in names]
        unused = [jnp.zeros_like(x)] * (slots.shape[0] - len(names))
        stacked = jnp.stack(rows + unused) if slots.shape[0] else jnp.zeros((0, *x.shape))
        return f, slope, stacked

    return _Branch(jax.jit(lambda x, slots: value(x, named(slots))), value_and_partials)


def _switched(branches: Sequence[_Branch], index: Array) -> Callable[[Array, Array], Array]:
    """The candidate chosen at run time, with the backward pass that its slope makes cheap."""

    @jax.custom_vjp
    def activation(x: Array, slots: Array) -> Array:
        value: Array = lax.switch(index, [branch.value for branch in branches], x, slots)
        return value

    def forward(x: Array, slots: Array) -> tuple[Array, tuple[Array, Array]]:
        choices = [branch.value_and_partials for branch in branches]
        value, slope, by_slot = lax.switch(index, choices, x, slots)
        return value, (slope, by_slot)

    def backward(kept: tuple[Array, Array], cotangent: Array) -> tuple[Array, Array]:
        slope, by_slot = kept
        return cotangent * slope, jnp.sum(cotangent * by_slot, axis=1)

    activation.defvjp(forward, backward)
    return activation


def _tied(gradients: list[Array], scopes: Array) -> list[Array]:
    """Gives the channels that share a trainable parameter the sum of their gradients.

    Every channel carries a copy; since the copies start equal and meet equal gradients, an
    elementwise optimiser keeps them equal.

    Args:
        gradients: For each layer [slots, width].
        scopes: Index into `SCOPES` of each slot [slots].
    """
    by_layer = [jnp.sum(gradient, axis=1) for gradient in gradients]
    by_network = sum(by_layer[1:], start=by_layer[0])
    scope = scopes[:, None]
    return [
        jnp.where(
            scope == SCOPES.index("channel"),
            own,
            jnp.where(scope == SCOPES.index("layer"), layer[:, None], by_network[:, None]),
        )
        for own, layer in zip(gradients, by_layer, strict=True)
    ]
