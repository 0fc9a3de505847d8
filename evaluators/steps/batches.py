"""Which examples each step sees, and the examples on the device."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from evaluators.datasets import Dataset
from evaluators.networks import AnyNetwork, Chain
from evaluators.recipes.recipe import Loss

CHUNK: Final = 100
"""How many passes' examples are brought to the device together, at most."""

# Of their inputs; of larger ones fewer are brought, so that images of a photograph's size do not
# take what a worker may allocate.
_CHUNK_BYTES: Final = 128 << 20

# Of examples on the device. On MNIST the first 1,600 steps of a seed take 170 MB.
_KEPT_BYTES: Final = 256 << 20

KEY_SHAPE: Final = (2,)
"""Of the data of a random key of JAX."""

# Tells the numbers behind keys from those behind the order of examples.
_OF_KEYS: Final = 1

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


def keys(seed: int, first: int, steps: int = CHUNK) -> np.ndarray:
    """Data of a random key for each step.

    Args:
        seed: Of the training run.
        first: Number of the first step.
        steps: How many, none of them in another hundred, `CHUNK`, than the first.

    Returns:
        [steps, *`KEY_SHAPE`], uint32; a step's own depends on nothing but its number and the seed.
    """
    skipped = first % CHUNK
    random = np.random.default_rng([seed, first - skipped, _OF_KEYS])
    drawn = random.integers(0, 2**32, (CHUNK, *KEY_SHAPE), np.uint32)
    return drawn[skipped : skipped + steps]


class Examples(NamedTuple):
    """The examples of a chunk of passes, on the device.

    Attributes:
        inputs: In the data set's own precision [passes, batch, features].
        labels: [passes, batch] and axes of the targets' own; see `DeviceData.labels`.
        present: Which of them there are at all [passes, batch].
    """

    inputs: Array
    labels: Array
    present: Array


class DeviceData:
    """A data set, whose examples are brought to the device pass by pass.

    All candidates see the same examples in the same order, so these are laid out once for all: that
    takes as long as picking them in a step, which every step of every candidate would do.

    Attributes:
        needed: Which inputs there are, by number; None for all. See `Network.needed`.
        inputs: Those of the training split, then of the validation split, [examples, needed].
        labels: Of both: classes [examples], int32, or [examples, *places]; for squared errors,
            targets [examples] or [examples, outputs], float32.
        are_classes: Whether labels are classes.
        training: Size of the training split.
        validation: Size of the validation split.
        shape: Of one example.
        places: Shape of those in an example that have a class each; () for one class an example.
        outputs: That a network must have: one for each class, or for each target.
        scale: What inputs are multiplied by where they are used.
        mean_square: Of the scaled training inputs.
        batch: Examples a pass.
        chunk: Passes whose examples are brought together, `CHUNK` or fewer of large ones.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch: int,
        network: AnyNetwork | None = None,
        loss: Loss = "cross_entropy",
    ) -> None:
        """Brings nothing to the device yet.

        Args:
            dataset: Where the examples come from.
            batch: Examples a pass.
            network: Whose needed inputs are enough; None for all inputs.
            loss: Of the recipe; it decides what labels are.
        """
        splits = (dataset.training, dataset.validation)
        examples = [split.inputs.reshape(len(split.inputs), -1) for split in splits]
        self.needed = network.needed(examples[0]) if isinstance(network, Chain) else None
        if self.needed is not None:
            # Taken, since an index for the second axis would leave an example's inputs scattered.
            examples = [np.take(inputs, self.needed, axis=1) for inputs in examples]
        self.inputs = np.concatenate(examples)
        are_classes = dataset.classes > 0 if not isinstance(loss, str) else loss == "cross_entropy"
        labels = np.concatenate([split.labels for split in splits])
        self.are_classes = are_classes
        self.labels = labels.astype(np.int32 if are_classes else np.float32)
        self.training, self.validation = (len(split.labels) for split in splits)
        self.shape = tuple(dataset.training.inputs.shape[1:])
        self.places = labels.shape[1:] if are_classes else ()
        self.outputs = dataset.classes if are_classes else math.prod(labels.shape[1:])
        self.scale = dataset.scale
        self.mean_square = _mean_square(dataset.training.inputs) * dataset.scale**2
        self.batch = batch
        bytes_a_pass = batch * self.inputs[0].nbytes
        self.chunk = _passes_together(bytes_a_pass)
        kept = max(2, _KEPT_BYTES // (self.chunk * bytes_a_pass))
        self._laid_out: Callable[..., Examples] = lru_cache(maxsize=kept)(self._lay_out)

    def of_training(self, seed: int, first: int) -> Examples:
        """The examples of the steps from number `first`, counted from 0."""
        return self._laid_out(seed, first)

    def of_validation(self, first: int) -> Examples:
        """Those of the passes through the validation split from number `first`."""
        return self._laid_out(None, first)

    @property
    def validation_variance(self) -> float:
        """Of the targets of the validation split, the mean over them where there are several."""
        return float(np.mean(np.var(self.labels[self.training :], axis=0, dtype=np.float64)))

    @property
    def validation_passes(self) -> int:
        """How many passes the validation split takes."""
        return -(-self.validation // self.batch)

    def _lay_out(self, seed: int | None, first: int) -> Examples:
        if seed is None:
            end = self.training + self.validation
            indices = in_order(self.training, end, batch=self.batch)[first : first + self.chunk]
        else:
            indices = batches(
                seed, start=first, steps=self.chunk, batch=self.batch, examples=self.training
            )
        padded = np.full((self.chunk, self.batch), NO_EXAMPLE, np.int32)
        padded[: len(indices)] = indices
        present = padded >= 0
        # Of a network that takes the statistics of a batch, what fills it up is to be a batch, too.
        filling = np.arange(padded.size).reshape(padded.shape) % self.validation
        chosen = np.where(present, padded, self.training + filling)
        return Examples(
            jnp.asarray(self.inputs[chosen]), jnp.asarray(self.labels[chosen]), jnp.asarray(present)
        )


def _passes_together(bytes_a_pass: int) -> int:
    """How many make a chunk: a divisor of `CHUNK`, since keys are drawn by the hundred."""
    most = max(1, _CHUNK_BYTES // bytes_a_pass)
    return max(chunk for chunk in range(1, min(CHUNK, most) + 1) if CHUNK % chunk == 0)


def _mean_square(inputs: np.ndarray) -> float:
    # In blocks: the whole of it in float64 would take eight times the memory of the images.
    blocks = np.array_split(inputs, max(1, len(inputs) // 4096))
    return sum(float(np.square(b, dtype=np.float64).sum()) for b in blocks) / inputs.size
