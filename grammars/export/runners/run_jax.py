"""Runs functions and modules for JAX, compiled, with reverse-mode gradients in both precisions."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

VERSION = f"jax {jax.__version__}"


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    yield from measure_function(getattr(exported, file["name"]), file, x)


def measure_function(
    function: Callable[[Any], Any],
    file: dict[str, Any],
    x: np.ndarray,
    precisions: tuple[str, ...] = ("float32", "bfloat16"),
) -> Iterator[tuple[str, Any]]:
    """Measures anything that maps an array to an array; uncompiled where it must be quick."""

    def both(a: Any) -> Any:
        value, back = jax.vjp(function, a)
        return value, back(jnp.ones_like(value))[0]

    mode, run = ("eager", both) if file["effort"] == "quick" else ("compiled", jax.jit(both))
    for precision in precisions:
        value, slope = run(jnp.asarray(x, precision))
        if value.dtype != precision:
            raise TypeError(f"{precision} in, {value.dtype} out")
        yield f"{mode}/{precision}/value", value.astype(jnp.float32)
        yield f"{mode}/{precision}/slope", slope.astype(jnp.float32)
