"""Data sets that are computed from a rule."""

from __future__ import annotations

import numpy as np

from evaluators.datasets.array_cache import Split
from evaluators.datasets.array_files import DataError
from evaluators.datasets.data import ModularAddition

# Amplitude, frequency in periods over a length of 2, and phase of each sine.
# There are two periods of the slower one within the training range: of less than one nothing would
# say how it goes on, and a constant would be the best guess.
_SINES = ((1.0, 2.0, 0.3), (0.5, 4.0, 1.1))
_INSIDE, _NEAR, _FAR = 1.0, 1.5, 2.0
_SEED = 0


def modular_addition(data: ModularAddition) -> dict[str, Split]:
    """All pairs (a, b) with a, b < p.

    Returns:
        "training", "validation" and "test": inputs [n, 2 p] uint8, one-hot a before one-hot b;
        labels [n], (a + b) modulo p.

    Raises:
        DataError: If one of them would be empty.
    """
    p = data.modular_addition
    a, b = (each.ravel() for each in np.meshgrid(np.arange(p), np.arange(p), indexing="ij"))
    one_hot = np.eye(p, dtype=np.uint8)
    inputs, labels = np.concatenate([one_hot[a], one_hot[b]], axis=1), (a + b) % p
    order = np.random.default_rng(data.split_seed).permutation(p * p)
    cut = round(data.training * p * p)
    middle = cut + (p * p - cut) // 2
    if not 0 < cut < middle < p * p:
        raise DataError(
            f"{data.name}: of {p * p:,} sums {cut:,} are for training, {middle - cut:,} for "
            f"validation and {p * p - middle:,} for the test; choose `training` so that there are "
            "some of each"
        )
    bounds = {"training": (0, cut), "validation": (cut, middle), "test": (middle, p * p)}
    return {
        role: Split(inputs[rows], labels[rows].astype(np.int32))
        for role, (first, stop) in bounds.items()
        for rows in [np.sort(order[first:stop])]
    }


def harmonics() -> dict[str, Split]:
    """A sum of two sines of one variable: does a function continue where it saw nothing?

    Training examples lie within 1 of 0, validation examples at distances from 1 to 1.5, test
    examples from 1.5 to 2. Inputs are divided by the training split's standard deviation, targets
    standardised. After Ziyin, Hartwig, Ueda, "Neural Networks Fail to Learn Periodic Functions and
    How to Fix It", NeurIPS 2020, https://arxiv.org/abs/2006.08195

    Returns:
        "training" (2,000 examples), "validation" and "test" (1,000 each): inputs [n, 1], labels
        [n, 1], both float32.
    """
    random = np.random.default_rng(_SEED)

    def distances(low: float, high: float, count: int) -> np.ndarray:
        found: np.ndarray = random.uniform(low, high, count) * random.choice([-1.0, 1.0], count)
        return found

    places = {
        "training": distances(0.0, _INSIDE, 2_000),
        "validation": distances(_INSIDE, _NEAR, 1_000),
        "test": distances(_NEAR, _FAR, 1_000),
    }
    values = {role: _sines(x) for role, x in places.items()}
    mean, deviation = values["training"].mean(), values["training"].std()
    width = places["training"].std()
    return {
        role: Split(
            (x / width).astype(np.float32)[:, None],
            ((values[role] - mean) / deviation).astype(np.float32)[:, None],
        )
        for role, x in places.items()
    }


def _sines(x: np.ndarray) -> np.ndarray:
    total: np.ndarray = np.sum(
        [a * np.sin(np.pi * f * x + phase) for a, f, phase in _SINES], axis=0
    )
    return total
