"""How large initial weights are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from evaluators.networks.network import Moments

Initialiser = Literal["he", "lecun", "gain"]


def weight_scale(initialiser: Initialiser, *, inputs: int, mean_square: float) -> float:
    """Standard deviation of a layer's initial weights.

    Args:
        initialiser: "he" for variance 2 / inputs (He, Zhang, Ren, Sun, Delving Deep into
            Rectifiers, 2015), "lecun" for 1 / inputs (LeCun, Bottou, Orr, Müller, Efficient
            BackProp, 1998), "gain" for 1 / (inputs * mean_square), which gives the layer's outputs
            unit variance whatever the activation (Bingham, Miikkulainen, AutoInit, 2023; biases
            start at 0, where AutoInit also removes the mean).
        inputs: Fan-in.
        mean_square: Of what the layer is given.
    """
    variance = {"he": 2.0, "lecun": 1.0, "gain": 1.0 / mean_square}[initialiser]
    return float((variance / inputs) ** 0.5)


def scales(initialiser: Initialiser, fans: Sequence[int], moments: Moments) -> Iterator[float]:
    for fan_in, flowing in zip(fans, (moments.inputs, *moments.activations), strict=True):
        yield weight_scale(initialiser, inputs=fan_in, mean_square=flowing)


@lru_cache(maxsize=8)
def normals(seed: int, shapes: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, ...]:
    """What all candidates begin with, but for the scale; drawing it takes four times as long."""
    random = np.random.default_rng(seed)
    return tuple(random.standard_normal(shape) for shape in shapes)
