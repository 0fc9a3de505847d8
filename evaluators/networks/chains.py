"""Chains of layers, each but the last followed by the activation: perceptrons, convolutions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from evaluators.networks.convolution import KERNEL, patches
from evaluators.networks.initialisers import Initialiser, normals, scales
from evaluators.networks.network import Layer, Moments
from evaluators.reading.sections import STRICT

if TYPE_CHECKING:
    from jax import Array

_STRIDE: Final = 2

# Numbers that processors compute with at a time.
_VECTOR: Final = 16

_Count = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True, config=STRICT)
class MLP:
    """A multilayer perceptron.

    Attributes:
        hidden: Units of each hidden layer.
        initialiser: See `weight_scale`.
        biases: Whether layers have any; without them the written-out pass cannot train it.
    """

    hidden: Annotated[tuple[_Count, ...], Field(min_length=1, max_length=1_000, strict=False)]
    initialiser: Initialiser = "he"
    biases: bool = True

    @property
    def hidden_layers(self) -> int:
        """See `Chain.hidden_layers`."""
        return len(self.hidden)

    def units(self, shape: tuple[int, ...]) -> int | None:
        """See `Chain.units`."""
        return self.hidden[0] if self.biases and len(set(self.hidden)) == 1 else None

    def channels(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """See `Chain.channels`: every unit is one."""
        return self.hidden

    def needed(self, training: np.ndarray) -> np.ndarray | None:
        """See `Chain.needed`: of MNIST's 784 inputs 720, in whole vectors."""
        dark = np.atleast_1d(~np.any(training, axis=0))
        dark_last = np.argsort(dark, kind="stable")
        count = -(-np.count_nonzero(~dark) // _VECTOR) * _VECTOR
        return np.sort(dark_last[:count]) if count < len(dark_last) else None

    def start(
        self,
        seed: int,
        *,
        shape: tuple[int, ...],
        classes: int,
        moments: Moments,
        needed: np.ndarray | None = None,
    ) -> list[Layer]:
        """See `Chain.start`."""
        widths = (math.prod(shape), *self.channels(shape), classes)
        sizes = scales(self.initialiser, widths[:-1], moments)
        first, *others = normals(seed, tuple(pairwise(widths)))
        if needed is not None:
            first = first[needed]
        layers = [_dense(d, scale) for d, scale in zip([first, *others], sizes, strict=True)]
        return layers if self.biases else [layer._replace(biases=None) for layer in layers]

    def apply_layer(
        self, number: int, layer: Layer, inputs: Array, *, shape: tuple[int, ...]
    ) -> Array:
        """See `Chain.apply_layer`."""
        return _apply_dense(layer, inputs)


@dataclass(frozen=True, config=STRICT)
class CNN:
    """Convolutions of 3 x 3 with stride 2, and a dense layer to the logits.

    While each convolution quarters the positions it quadruples the channels, so that the number of
    units stays the same where sides can be halved so often.

    Attributes:
        first_channels: Channels of the first convolution.
        hidden_layers: How many convolutions there are.
        initialiser: See `weight_scale`.
    """

    first_channels: _Count
    hidden_layers: Annotated[int, Field(ge=1, le=100)] = 2
    initialiser: Initialiser = "gain"

    def units(self, shape: tuple[int, ...]) -> int | None:
        """See `Chain.units`."""
        if len(shape) not in (2, 3):
            raise ValueError(
                f"a network of convolutions takes images, got examples of shape {list(shape)}; "
                "use a perceptron for these data"
            )
        counts = {math.prod(self._sides(n, shape)) * depth for n, depth in self._depths()}
        return counts.pop() if len(counts) == 1 else None

    def channels(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """See `Chain.channels`."""
        growth = _STRIDE**2
        return tuple(self.first_channels * growth**n for n in range(self.hidden_layers))

    def needed(self, training: np.ndarray) -> np.ndarray | None:
        """See `Chain.needed`: images are only images as a whole."""
        return None

    def start(
        self,
        seed: int,
        *,
        shape: tuple[int, ...],
        classes: int,
        moments: Moments,
        needed: np.ndarray | None = None,
    ) -> list[Layer]:
        """See `Chain.start`."""
        depths = (_colours(shape), *self.channels(shape))
        units = math.prod(self._sides(self.hidden_layers, shape)) * depths[-1]
        fans = [*(KERNEL**2 * depth for depth in depths[:-1]), units]
        *sizes, last = scales(self.initialiser, fans, moments)
        kernels = tuple((KERNEL, KERNEL, *depth) for depth in pairwise(depths))
        *convolutions, dense = normals(seed, (*kernels, (units, classes)))
        return [
            *(_layer(drawn, scale) for drawn, scale in zip(convolutions, sizes, strict=True)),
            _dense(dense, last),
        ]

    def apply_layer(
        self, number: int, layer: Layer, inputs: Array, *, shape: tuple[int, ...]
    ) -> Array:
        """See `Chain.apply_layer`."""
        if number == self.hidden_layers:
            return _apply_dense(layer, inputs)
        images = inputs.reshape(-1, *self._sides(number, shape), layer.weights.shape[2])
        maps = patches(images, stride=_STRIDE) @ layer.weights.reshape(-1, layer.weights.shape[3])
        outputs: Array = (maps + layer.biases).reshape(len(inputs), -1)
        return outputs

    def _sides(self, number: int, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Of what convolution `number` is given, halved and rounded up by each before it."""
        return tuple(-(-side // _STRIDE**number) for side in shape[:2])

    def _depths(self) -> Iterator[tuple[int, int]]:
        """The number of each convolution, counted from 1, and its channels."""
        return enumerate(self.channels(()), 1)


def _layer(drawn: np.ndarray, scale: float) -> Layer:
    return Layer((scale * drawn).astype(np.float32), np.zeros(drawn.shape[-1], np.float32))


def _dense(drawn: np.ndarray, scale: float) -> Layer:
    layer = _layer(drawn, scale)
    return layer._replace(weights=np.ascontiguousarray(layer.weights.T))


def _apply_dense(layer: Layer, inputs: Array) -> Array:
    result: Array = inputs @ layer.weights.T
    return result if layer.biases is None else result + layer.biases


def _colours(shape: tuple[int, ...]) -> int:
    return shape[2] if len(shape) == 3 else 1
