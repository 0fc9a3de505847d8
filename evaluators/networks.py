"""Small networks that take the activation function as an argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jax import Array

Initialiser = Literal["he", "lecun"]

# Variance of a weight times the number of its inputs.
_VARIANCE_GAIN = {"he": 2.0, "lecun": 1.0}


class Layer(NamedTuple):
    """A dense layer: weights of shape [inputs, outputs], biases of shape [outputs]."""

    weights: Any
    biases: Any


# Called as activation(x, layer): x has shape [batch, width of that hidden layer].
Activation = Callable[["Array", int], "Array"]


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron; the activation follows every layer but the last.

    Attributes:
        hidden: Width of each hidden layer.
        initialiser: "he" (variance 2 / inputs; He, Zhang, Ren, Sun 2015) or "lecun" (variance
            1 / inputs; LeCun, Bottou, Orr, Müller 1998). Biases start at 0.
    """

    hidden: tuple[int, ...]
    initialiser: Initialiser = "he"

    def start(self, random: np.random.Generator, *, inputs: int, classes: int) -> list[Layer]:
        """Initial weights, normally distributed, for `inputs` features and `classes` logits.

        Drawn by NumPy, not JAX: compiling JAX's normal generator would take longer than training.
        """
        widths = (inputs, *self.hidden, classes)
        layers = []
        for fan_in, fan_out in pairwise(widths):
            scale = (_VARIANCE_GAIN[self.initialiser] / fan_in) ** 0.5
            weights = scale * random.standard_normal((fan_in, fan_out))
            layers.append(Layer(weights.astype(np.float32), np.zeros(fan_out, np.float32)))
        return layers

    def logits(self, layers: list[Layer], inputs: Array, activation: Activation) -> Array:
        """Forward pass: inputs [batch, features] to logits [batch, classes]."""
        *hidden, last = layers
        x = inputs
        for number, layer in enumerate(hidden):
            x = activation(x @ layer.weights + layer.biases, number)
        logits: Array = x @ last.weights + last.biases
        return logits
