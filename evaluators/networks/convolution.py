"""Convolutions of 3 x 3 as matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jax import Array

KERNEL: Final = 3


def patches(images: Array, *, stride: int) -> Array:
    """What each position of the next layer sees: [batch, height / stride, width / stride,
    9 * channels], sides rounded up.

    One matrix product with them is the convolution. XLA's own, inside a loop on a CPU, takes some
    fifty times as long.
    """
    import jax.numpy as jnp

    height, width = images.shape[1:3]
    padded = _padded(images, stride)
    views = [
        padded[:, row : row + height : stride, column : column + width : stride]
        for row in range(KERNEL)
        for column in range(KERNEL)
    ]
    return jnp.concatenate(views, axis=3)


def patches_by_axes(images: Array, *, stride: int) -> Array:
    """What `patches` yields, gathered along the width, then along the height.

    Six loops to compile in place of nine, forward and back. On the way back it sums up in another
    order, in which the last bits differ.
    """
    import jax.numpy as jnp

    height, width = images.shape[1:3]
    padded = _padded(images, stride)
    rows = jnp.concatenate([padded[:, :, n : n + width : stride] for n in range(KERNEL)], axis=3)
    return jnp.concatenate([rows[:, n : n + height : stride] for n in range(KERNEL)], axis=3)


def _padded(images: Array, stride: int) -> Array:
    import jax.numpy as jnp

    around = [_padding(side, stride) for side in images.shape[1:3]]
    return jnp.pad(images, ((0, 0), *around, (0, 0)))


def _padding(side: int, stride: int) -> tuple[int, int]:
    """As in "same" padding: evenly, the odd one behind."""
    missing = max(KERNEL - stride if not side % stride else KERNEL - side % stride, 0)
    return missing // 2, missing - missing // 2
