"""Weights of dense layers and of normalisations, and what they compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jax import Array


def dense_start(
    random: np.random.Generator, inputs: int, outputs: int, *, scale: float
) -> dict[str, np.ndarray]:
    """Weights [outputs, inputs], normally distributed, and biases of 0."""
    weights = scale * random.standard_normal((outputs, inputs))
    return {"weights": weights.astype(np.float32), "biases": np.zeros(outputs, np.float32)}


def dense(layer: dict[str, Any], x: Array) -> Array:
    """A linear map along the last axis, and its shift."""
    from jax import lax

    # By its last axis, where a transposed copy of the weights would be made otherwise.
    product = lax.dot_general(x, layer["weights"], (((x.ndim - 1,), (1,)), ((), ())))
    shifted: Array = product + layer["biases"]
    return shifted


def norm_start(channels: int) -> dict[str, np.ndarray]:
    """A normalisation that begins as nothing but that."""
    return {"scales": np.ones(channels, np.float32), "shifts": np.zeros(channels, np.float32)}


def normalised(norm: dict[str, Any], x: Array, *, axes: int = 1) -> Array:
    """Zero mean and unit variance over the last axes of every example (Ba and others, 2016).

    Args:
        norm: A scale and a shift for each channel, the last axis.
        x: [..., channels].
        axes: How many.
    """
    import jax.numpy as jnp
    from jax import lax

    over = tuple(range(-axes, 0))
    centred = x - jnp.mean(x, axis=over, keepdims=True)
    variance = jnp.mean(centred * centred, axis=over, keepdims=True)
    result: Array = centred * lax.rsqrt(variance + 1e-6) * norm["scales"] + norm["shifts"]
    return result
