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

        # [patches, batch, width]: the products to and from the attention can have examples last,
        # see `small_products`, and nothing is transposed but where an activation wants them first.
        patches = self._patches(inputs).transpose(1, 0, 2)
        x = dense(weights["first"], patches) + weights["places"][:, None]
        for block in weights["blocks"]:
            x = x + self._attended(block, normalised(block["attention_norm"], x))
            z = dense(block["up"], normalised(block["norm"], x))
            hidden = activate(z.transpose(1, 0, 2)).transpose(1, 0, 2)
            x = x + dense(block["down"], hidden)
        pooled = jnp.mean(normalised(weights["norm"], x), axis=0)
        return dense(weights["last"], pooled)

    def _attended(self, block: Any, x: Any) -> Any:
        """What patches take from each other [patches, batch, width]."""
        from jax import lax

        given, joined = block["attended"], block["joined"]
        product = lax.dot_general(given["weights"], x, (((1,), (2,)), ((), ())))
        mixed = _attention(product + given["biases"][:, None, None], heads=self.heads)
        back = lax.dot_general(mixed, joined["weights"], (((0,), (1,)), ((), ())))
        return back + joined["biases"]

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
    """What patches make of each other [width, patches, batch].

    Args:
        attended: Queries, keys and values one below the other [3 * width, patches, batch].
        heads: That share the width.
    """
    import jax

    rows, count, batch = attended.shape
    each = rows // 3 // heads
    queries, keys, values = attended.reshape(3, heads, each, count, batch)
    scores = small_products(queries.swapaxes(1, 2), keys) * each**-0.5
    shares = jax.nn.softmax(scores, axis=2)
    return small_products(values, shares.swapaxes(1, 2)).reshape(rows // 3, count, batch)


def small_products(a: Array, b: Array) -> Array:
    """Many small matrix products: of [..., m, k, many] and [..., k, n, many], [..., m, n, many].

    XLA has no fast path on a CPU for batches of small products inside of a loop. Written as sums of
    products of numbers, with the many side by side, vectors of the processor take as many at a
    time as they hold. They must lie side by side already: a transposition before would become part
    of the sums, which then fetch numbers one by one, in thirty times the time.
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
            _sum_of_products(by, b.swapaxes(-3, -2)),
            _sum_of_products(a.swapaxes(-3, -2), by),
        )

    products.defvjp(forward, backward)
    result: Array = products(a, b)
    return result


def _sum_of_products(a: Array, b: Array) -> Array:
    total = a[..., :, 0, None, :] * b[..., 0, None, :, :]
    for k in range(1, a.shape[-2]):
        total = total + a[..., :, k, None, :] * b[..., k, None, :, :]
    return total
