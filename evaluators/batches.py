"""Which examples each step sees, and the data on the device."""

from __future__ import annotations

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jax import Array

from evaluators.datasets import Dataset

NO_EXAMPLE = -1
"""Stands for nothing where the last batch of a split is not full."""


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


def in_order(first: int, stop: int, *, batch: int) -> np.ndarray:
    """The examples from `first` to before `stop`, as indices [batches, batch], int32."""
    count = -(-(stop - first) // batch)
    indices = np.full(count * batch, NO_EXAMPLE, np.int32)
    indices[: stop - first] = np.arange(first, stop)
    return indices.reshape(count, batch)


class DeviceData:
    """A data set on the device, in its own precision; it is scaled where it is used.

    Attributes:
        inputs: The training split, then the validation split, [examples, features].
        labels: Of both [examples], int32.
        training: Size of the training split.
        validation: Size of the validation split.
        shape: Of one example.
        classes: Number of labels.
        scale: What inputs are multiplied by.
        mean_square: Of the scaled training inputs.
    """

    def __init__(self, dataset: Dataset) -> None:
        splits = (dataset.training, dataset.validation)
        self.inputs: Array = jnp.asarray(
            np.concatenate([split.inputs.reshape(len(split.inputs), -1) for split in splits])
        )
        self.labels: Array = jnp.asarray(np.concatenate([s.labels for s in splits]), jnp.int32)
        self.training, self.validation = (len(split.labels) for split in splits)
        self.shape = tuple(dataset.training.inputs.shape[1:])
        self.classes, self.scale = dataset.classes, dataset.scale
        self.mean_square = _mean_square(dataset.training.inputs) * dataset.scale**2


def _mean_square(inputs: np.ndarray) -> float:
    # In blocks: the whole of it in float64 would take eight times the memory of the images.
    blocks = np.array_split(inputs, max(1, len(inputs) // 4096))
    return sum(float(np.square(b, dtype=np.float64).sum()) for b in blocks) / inputs.size
