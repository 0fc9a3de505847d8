"""What a network is: a pure pair of functions, or a chain of layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from jax import Array


class Layer(NamedTuple):
    """A linear map and its shift.

    Attributes:
        weights: [outputs, inputs] of a dense layer, as in PyTorch: the product that yields their
            gradient takes a sixth less time than for [inputs, outputs]. [height, width, inputs,
            outputs] of a convolution.
        biases: [outputs], or [channels] of a convolution; None where there are none.
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

    def after(self, call: int) -> float:
        """Of what the activation makes at a call, counted from 0."""
        return self.activations[min(call, len(self.activations) - 1)]


UNKNOWN: Final = Moments(1.0, (1.0,))
"""Where only shapes matter."""


class Network(Protocol):
    """A network of any kind: a pure pair of functions, with its activation as an argument."""

    @property
    def hidden_layers(self) -> int:
        """How many times the activation is called."""
        ...

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        """Initial weights, a pytree of NumPy arrays.

        Args:
            seed: Decides on them.
            shape: Of an example.
            outputs: How many there are.
            moments: For initialisers that aim at unit variance.
        """
        ...

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        """Outputs [batch, outputs] for inputs [batch, *shape].

        Args:
            weights: As of `init`.
            inputs: Of a batch.
            activate: Elementwise, for arrays of any shape, as often as it pleases.
        """
        ...


@runtime_checkable
class Chain(Protocol):
    """A chain of layers, each but the last followed by the activation.

    Where every hidden layer has the same number of units, a pass is written out for it.
    """

    @property
    def hidden_layers(self) -> int:
        """How many layers are followed by the activation."""
        ...

    def units(self, shape: tuple[int, ...]) -> int | None:
        """Units of each hidden layer, for examples of that shape; None if they differ.

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

    def apply_layer(
        self, number: int, layer: Layer, inputs: Array, *, shape: tuple[int, ...]
    ) -> Array:
        """One layer: from [batch, features or units] to [batch, units], or to logits if last."""
        ...
