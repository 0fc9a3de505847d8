"""Small networks that take the activation function as an argument."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass as checked_dataclass

from evaluators.sections import STRICT, deciding, read_kind, section_of

if TYPE_CHECKING:
    from jax import Array

Initialiser = Literal["he", "lecun", "gain"]

_KERNEL: Final = 3
_STRIDE: Final = 2

# Numbers that processors compute with at a time.
_VECTOR: Final = 16


class Layer(NamedTuple):
    """A linear map and its shift.

    Attributes:
        weights: [outputs, inputs] of a dense layer, as in PyTorch: the product that yields their
            gradient takes a sixth less time than for [inputs, outputs]. [height, width, inputs,
            outputs] of a convolution.
        biases: [outputs], or [channels] of a convolution.
    """

    weights: Any
    biases: Any


@dataclass(frozen=True)
class Moments:
    """Mean squares of what flows into the layers, for initialisers that aim at unit variance.

    Attributes:
        inputs: Of the scaled inputs, over the training split.
        activations: Of f(z) for each hidden layer's f, where z is normally distributed, N(0, 1).
    """

    inputs: float
    activations: tuple[float, ...]


class Network(Protocol):
    """A chain of layers, each but the last followed by the activation.

    Every hidden layer has the same number of units. So one compiled instance of a function serves
    all layers, and compiling, not training, is what candidates would spend their time on.
    """

    @property
    def hidden_layers(self) -> int:
        """How many layers are followed by the activation."""
        ...

    def units(self, shape: tuple[int, ...]) -> int:
        """Units of each hidden layer, for examples of that shape.

        Raises:
            ValueError: If the network can't take such examples.
        """
        ...

    def channels(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Channels of each hidden layer; unit u belongs to channel u modulo their number."""
        ...

    def needed(self, training: np.ndarray) -> np.ndarray | None:
        """Which inputs the network is computed with, by number; None for all.

        An input that is 0 in all of them takes no part in training: its weights have no gradient.

        Args:
            training: Examples [examples, inputs].
        """
        ...

    def start(
        self,
        seed: int,
        *,
        shape: tuple[int, ...],
        classes: int,
        moments: Moments,
        needed: np.ndarray | None = None,
    ) -> list[Layer]:
        """Initial layers, drawn by NumPy: compiling JAX's generator takes longer than training.

        Args:
            seed: Decides on the weights of all inputs, whether needed or not.
            shape: Of an example.
            classes: How many there are.
            moments: For the initialiser.
            needed: See `needed`.
        """
        ...

    def apply(self, number: int, layer: Layer, inputs: Array, *, shape: tuple[int, ...]) -> Array:
        """One layer: from [batch, features or units] to [batch, units], or to logits if last."""
        ...


_Count = Annotated[int, Field(ge=1, le=1_000_000)]


@checked_dataclass(frozen=True, config=STRICT)
class MLP:
    """A multilayer perceptron.

    Attributes:
        hidden: Units of each hidden layer.
        initialiser: See `weight_scale`.
    """

    hidden: Annotated[tuple[_Count, ...], Field(min_length=1, max_length=1_000, strict=False)]
    initialiser: Initialiser = "he"

    @property
    def hidden_layers(self) -> int:
        """See `Network.hidden_layers`."""
        return len(self.hidden)

    def units(self, shape: tuple[int, ...]) -> int:
        """See `Network.units`."""
        if len(set(self.hidden)) > 1:
            raise ValueError(f"hidden layers must be of equal width, got {list(self.hidden)}")
        return self.hidden[0]

    def channels(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """See `Network.channels`: every unit is one."""
        return self.hidden

    def needed(self, training: np.ndarray) -> np.ndarray | None:
        """See `Network.needed`: of MNIST's 784 inputs 720, in whole vectors."""
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
        """See `Network.start`."""
        widths = (math.prod(shape), *self.channels(shape), classes)
        scales = _scales(self.initialiser, widths[:-1], moments)
        first, *others = _normals(seed, tuple(pairwise(widths)))
        if needed is not None:
            first = first[needed]
        return [
            _dense(normals, scale) for normals, scale in zip([first, *others], scales, strict=True)
        ]

    def apply(self, number: int, layer: Layer, inputs: Array, *, shape: tuple[int, ...]) -> Array:
        """See `Network.apply`."""
        return _apply_dense(layer, inputs)


@checked_dataclass(frozen=True, config=STRICT)
class CNN:
    """Convolutions of 3 x 3 with stride 2, and a dense layer to the logits.

    While each convolution quarters the positions it quadruples the channels, so that the number of
    units stays the same.

    Attributes:
        first_channels: Channels of the first convolution.
        hidden_layers: How many convolutions there are.
        initialiser: See `weight_scale`.
    """

    first_channels: _Count
    hidden_layers: Annotated[int, Field(ge=1, le=100)] = 2
    initialiser: Initialiser = "gain"

    def units(self, shape: tuple[int, ...]) -> int:
        """See `Network.units`."""
        divisor = _STRIDE**self.hidden_layers
        if len(shape) not in (2, 3) or any(side % divisor for side in shape[:2]):
            raise ValueError(
                f"a network of {self.hidden_layers} convolutions takes images whose sides are "
                f"multiples of {divisor}, got examples of shape {list(shape)}; "
                "use a perceptron for this data set"
            )
        return math.prod(shape[:2]) // _STRIDE**2 * self.first_channels

    def channels(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """See `Network.channels`."""
        growth = _STRIDE**2
        return tuple(self.first_channels * growth**n for n in range(self.hidden_layers))

    def needed(self, training: np.ndarray) -> np.ndarray | None:
        """See `Network.needed`: images are only images as a whole."""
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
        """See `Network.start`."""
        depths = (_colours(shape), *self.channels(shape))
        units = self.units(shape)
        fans = [*(_KERNEL**2 * depth for depth in depths[:-1]), units]
        *scales, last = _scales(self.initialiser, fans, moments)
        kernels = tuple((_KERNEL, _KERNEL, *depth) for depth in pairwise(depths))
        *convolutions, dense = _normals(seed, (*kernels, (units, classes)))
        return [
            *(_layer(normals, scale) for normals, scale in zip(convolutions, scales, strict=True)),
            _dense(dense, last),
        ]

    def apply(self, number: int, layer: Layer, inputs: Array, *, shape: tuple[int, ...]) -> Array:
        """See `Network.apply`."""
        if number == self.hidden_layers:
            return _apply_dense(layer, inputs)
        height, width = (side // _STRIDE**number for side in shape[:2])
        images = inputs.reshape(-1, height, width, layer.weights.shape[2])
        maps = _patches(images) @ layer.weights.reshape(-1, layer.weights.shape[3])
        outputs: Array = (maps + layer.biases).reshape(len(inputs), -1)
        return outputs


_KINDS: Final[Mapping[str, Callable[..., Network]]] = {"mlp": MLP, "cnn": CNN}


def read_network(section: Any, *, place: str = "network") -> Network:
    """A network from a table of a task file.

    Raises:
        SectionError: With all that is wrong.
    """
    return read_kind(_KINDS, section, place=place)


def network_section(network: Network) -> dict[str, Any]:
    """The table that `read_network` reads an equal network from."""
    return {"kind": _kind(network), **section_of(network)}


def deciding_network(network: Network) -> dict[str, Any]:
    """What of it decides on results."""
    return {"kind": _kind(network), **deciding(network)}


def _kind(network: Network) -> str:
    return next(kind for kind, made in _KINDS.items() if made is type(network))


def _patches(images: Array) -> Array:
    """What each position of the next layer sees: [batch, height / 2, width / 2, 9 * channels].

    One matrix product with them is the convolution. XLA's own, inside a loop on a CPU, takes some
    fifty times as long.
    """
    import jax.numpy as jnp

    padded = jnp.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)))
    height, width = images.shape[1:3]
    views = [
        padded[:, row : row + height : _STRIDE, column : column + width : _STRIDE]
        for row in range(_KERNEL)
        for column in range(_KERNEL)
    ]
    return jnp.concatenate(views, axis=3)


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


def _scales(initialiser: Initialiser, fans: Sequence[int], moments: Moments) -> Iterator[float]:
    for fan_in, flowing in zip(fans, (moments.inputs, *moments.activations), strict=True):
        yield weight_scale(initialiser, inputs=fan_in, mean_square=flowing)


@lru_cache(maxsize=8)
def _normals(seed: int, shapes: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, ...]:
    """What all candidates begin with, but for the scale; drawing it takes four times as long."""
    random = np.random.default_rng(seed)
    return tuple(random.standard_normal(shape) for shape in shapes)


def _layer(normals: np.ndarray, scale: float) -> Layer:
    return Layer((scale * normals).astype(np.float32), np.zeros(normals.shape[-1], np.float32))


def _dense(normals: np.ndarray, scale: float) -> Layer:
    drawn = _layer(normals, scale)
    return drawn._replace(weights=np.ascontiguousarray(drawn.weights.T))


def _apply_dense(layer: Layer, inputs: Array) -> Array:
    result: Array = inputs @ layer.weights.T + layer.biases
    return result


def _colours(shape: tuple[int, ...]) -> int:
    return shape[2] if len(shape) == 3 else 1
