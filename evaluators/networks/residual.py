"""Networks of residual blocks with normalisation: a perceptron, and one of convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from evaluators.networks.convolution import KERNEL, patches_by_axes
from evaluators.networks.dense import dense, dense_start, norm_start, normalised
from evaluators.networks.initialisers import Initialiser, weight_scale
from evaluators.networks.network import Moments
from evaluators.reading.sections import STRICT

_Count = Annotated[int, Field(ge=1, le=100_000)]
_Blocks = Annotated[int, Field(ge=1, le=200)]


@dataclass(frozen=True, config=STRICT)
class ResidualMLP:
    """A perceptron whose blocks add to what flows through: x + B f(A norm(x)).

    After He, Zhang, Ren, Sun, Identity Mappings in Deep Residual Networks, 2016, with the
    normalisation of Ba, Kiros, Hinton, Layer Normalization, 2016.

    Attributes:
        width: Of what flows through.
        blocks: How many there are, each with one call of the activation.
        expansion: Units of a block's hidden layer over the width.
        initialiser: See `weight_scale`.
    """

    width: _Count = 64
    blocks: _Blocks = 6
    expansion: Annotated[int, Field(ge=1, le=64)] = 2
    initialiser: Initialiser = "gain"

    @property
    def hidden_layers(self) -> int:
        """See `Network.hidden_layers`."""
        return self.blocks

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        """See `Network.init`."""
        random, inputs, hidden = np.random.default_rng(seed), math.prod(shape), self._hidden

        def layer(inputs: int, outputs: int, flowing: float) -> Any:
            scale = weight_scale(self.initialiser, inputs=inputs, mean_square=flowing)
            return dense_start(random, inputs, outputs, scale=scale)

        blocks = [
            {
                "norm": norm_start(self.width),
                "up": layer(self.width, hidden, 1.0),
                # Sums of many blocks would grow with their number.
                "down": layer(hidden, self.width, self.blocks * moments.after(number)),
            }
            for number in range(self.blocks)
        ]
        return {
            "first": layer(inputs, self.width, moments.inputs),
            "blocks": blocks,
            "norm": norm_start(self.width),
            "last": layer(self.width, outputs, 1.0),
        }

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        """See `Network.apply`."""
        x = dense(weights["first"], inputs.reshape(len(inputs), -1))
        for block in weights["blocks"]:
            hidden = activate(dense(block["up"], normalised(block["norm"], x)))
            x = x + dense(block["down"], hidden)
        return dense(weights["last"], normalised(weights["norm"], x))

    @property
    def _hidden(self) -> int:
        return self.expansion * self.width


@dataclass(frozen=True, config=STRICT)
class ResidualCNN:
    """Two convolutions that halve the sides, and residual blocks: x + conv(f(norm(x))).

    Each normalisation is over all of an example, so that examples have nothing to do with each
    other (Wu, He, Group Normalization, 2018, with one group).

    Attributes:
        channels: Of the blocks; the first convolution has half as many.
        blocks: How many there are, each with one call of the activation; two more calls are before
            and after them.
        initialiser: See `weight_scale`.
    """

    channels: Annotated[int, Field(ge=2, le=100_000)] = 16
    blocks: _Blocks = 2
    initialiser: Initialiser = "gain"

    @property
    def hidden_layers(self) -> int:
        """See `Network.hidden_layers`."""
        return self.blocks + 2

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        """See `Network.init`.

        Raises:
            ValueError: If examples are no images.
        """
        if len(shape) not in (2, 3):
            raise ValueError(
                f"a network of convolutions takes images, got examples of shape {list(shape)}; "
                "use a perceptron for these data"
            )
        random = np.random.default_rng(seed)

        def layer(inputs: int, outputs: int, flowing: float) -> Any:
            scale = weight_scale(self.initialiser, inputs=inputs, mean_square=flowing)
            return dense_start(random, inputs, outputs, scale=scale)

        window, half = KERNEL**2, self.channels // 2
        colours = shape[2] if len(shape) == 3 else 1
        blocks = [
            {
                "norm": norm_start(self.channels),
                "conv": layer(
                    window * self.channels, self.channels, self.blocks * moments.after(number)
                ),
            }
            for number in range(1, self.blocks + 1)
        ]
        positions = math.prod(-(-side // 4) for side in shape[:2])
        return {
            "first": layer(window * colours, half, moments.inputs),
            "norm": norm_start(half),
            "second": layer(window * half, self.channels, moments.after(0)),
            "blocks": blocks,
            "final": norm_start(self.channels),
            "last": layer(positions * self.channels, outputs, moments.after(self.blocks + 1)),
        }

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        """See `Network.apply`."""
        images = inputs if inputs.ndim == 4 else inputs[..., None]
        x = dense(weights["first"], patches_by_axes(images, stride=2))
        x = activate(normalised(weights["norm"], x, axes=3))
        x = dense(weights["second"], patches_by_axes(x, stride=2))
        for block in weights["blocks"]:
            hidden = activate(normalised(block["norm"], x, axes=3))
            x = x + dense(block["conv"], patches_by_axes(hidden, stride=1))
        x = activate(normalised(weights["final"], x, axes=3))
        return dense(weights["last"], x.reshape(len(x), -1))
