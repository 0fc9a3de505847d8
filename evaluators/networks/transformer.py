"""A small transformer on the patches of an image, or on the stretches of a signal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from evaluators.networks.dense import dense, dense_start, norm_start, normalised
from evaluators.networks.initialisers import Initialiser, weight_scale
from evaluators.networks.network import Moments
from evaluators.reading.sections import STRICT

if TYPE_CHECKING:
    from jax import Array

_Count = Annotated[int, Field(ge=1, le=10_000)]


@dataclass(frozen=True, config=STRICT)
class Transformer:
    """Self-attention among patches, blocks normalised before (Xiong and others, 2020).

    After Vaswani and others, Attention Is All You Need, 2017, and Dosovitskiy and others, An Image
    is Worth 16x16 Words, 2021; the mean over the patches goes to the logits.

    Attributes:
        patch: Side of a patch; edges are filled up with zeros.
        width: Of a patch's vector.
        heads: Of the attention, which share the width.
        blocks: How many there are, each with one call of the activation.
        expansion: Units of a block's hidden layer over the width.
        initialiser: See `weight_scale`.
    """

    patch: _Count = 7
    width: _Count = 64
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    blocks: Annotated[int, Field(ge=1, le=100)] = 2
    expansion: Annotated[int, Field(ge=1, le=64)] = 2
    initialiser: Initialiser = "gain"

    @model_validator(mode="after")
    def _shares_evenly(self) -> Transformer:
        if self.width % self.heads:
            raise ValueError(
                f"heads: they share the width evenly, got {self.heads} for a width of {self.width}"
            )
        return self

    @property
    def hidden_layers(self) -> int:
        """See `Network.hidden_layers`."""
        return self.blocks

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        """See `Network.init`."""
        random, width, hidden = np.random.default_rng(seed), self.width, self.expansion * self.width
        count, size = self._patches_of(shape)

        def layer(inputs: int, outputs: int, flowing: float) -> Any:
            scale = weight_scale(self.initialiser, inputs=inputs, mean_square=flowing)
            return dense_start(random, inputs, outputs, scale=scale)

        blocks = [
            {
                "attention_norm": norm_start(width),
                "attended": layer(width, 3 * width, 1.0),
                "joined": layer(width, width, 2.0 * self.blocks),
                "norm": norm_start(width),
                "up": layer(width, hidden, 1.0),
                "down": layer(hidden, width, 2.0 * self.blocks * moments.after(number)),
            }
            for number in range(self.blocks)
        ]
        return {
            "first": layer(size, width, moments.inputs),
            "places": (0.1 * random.standard_normal((count, width))).astype(np.float32),
            "blocks": blocks,
            "norm": norm_start(width),
            "last": layer(width, outputs, 1.0),
        }

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        """See `Network.apply`."""
        import jax.numpy as jnp

        x = dense(weights["first"], self._patches(inputs)) + weights["places"]
        for block in weights["blocks"]:
            attended = dense(block["attended"], normalised(block["attention_norm"], x))
            x = x + dense(block["joined"], _attention(attended, heads=self.heads))
            hidden = activate(dense(block["up"], normalised(block["norm"], x)))
            x = x + dense(block["down"], hidden)
        pooled = jnp.mean(normalised(weights["norm"], x), axis=1)
        return dense(weights["last"], pooled)

    def _patches_of(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """How many patches there are, and how many numbers in each."""
        sides, colours = (shape[:1], 1) if len(shape) == 1 else (shape[:2], math.prod(shape[2:]))
        count = math.prod(-(-side // self.patch) for side in sides)
        return count, self.patch ** len(sides) * colours

    def _patches(self, inputs: Any) -> Any:
        """[batch, patches, numbers of each]."""
        import jax.numpy as jnp

        batch, *shape = inputs.shape
        sides = shape[:1] if len(shape) == 1 else shape[:2]
        missing = [(0, -side % self.patch) for side in sides]
        padded = jnp.pad(inputs.reshape(batch, *sides, -1), ((0, 0), *missing, (0, 0)))
        cut: list[int] = []
        for side in padded.shape[1:-1]:
            cut += [side // self.patch, self.patch]
        parts = padded.reshape(batch, *cut, padded.shape[-1])
        axes = range(1, len(cut), 2), range(2, len(cut) + 1, 2)
        ordered = parts.transpose(0, *axes[0], *axes[1], parts.ndim - 1)
        return ordered.reshape(batch, math.prod(cut[::2]), -1)


def _attention(attended: Array, *, heads: int) -> Array:
    """What patches make of each other [batch, patches, width].

    Args:
        attended: Queries, keys and values side by side [batch, patches, 3 * width].
        heads: That share the width.
    """
    import jax

    batch, count, three = attended.shape
    each = three // 3 // heads
    parts = attended.reshape(batch, count, 3, heads, each)
    # [3, patches, of a head, heads * batch]: examples come last, see `small_products`.
    queries, keys, values = parts.transpose(2, 1, 4, 3, 0).reshape(3, count, each, -1)
    scores = small_products(queries, keys.transpose(1, 0, 2)) * each**-0.5
    mixed = small_products(jax.nn.softmax(scores, axis=1), values)
    return mixed.reshape(count, each, heads, batch).transpose(3, 0, 2, 1).reshape(batch, count, -1)


def small_products(a: Array, b: Array) -> Array:
    """Many small matrix products side by side: of [m, k, many] and [k, n, many], [m, n, many].

    XLA has no fast path on a CPU for batches of small products inside of a loop. Written as sums of
    products of numbers, with the many side by side, vectors of the processor take as many at a
    time as they hold.
    """
    import jax

    @jax.custom_vjp
    def products(a: Array, b: Array) -> Array:
        return _sum_of_products(a, b)

    def forward(a: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
        return _sum_of_products(a, b), (a, b)

    def backward(given: tuple[Array, Array], by: Array) -> tuple[Array, Array]:
        a, b = given
        return (
            _sum_of_products(by, b.transpose(1, 0, 2)),
            _sum_of_products(a.transpose(1, 0, 2), by),
        )

    products.defvjp(forward, backward)
    result: Array = products(a, b)
    return result


def _sum_of_products(a: Array, b: Array) -> Array:
    return sum(
        (a[:, k, None, :] * b[None, k, :, :] for k in range(1, a.shape[1])),
        start=a[:, 0, None, :] * b[None, 0, :, :],
    )
