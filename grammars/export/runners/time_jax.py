"""Times an exported function and its gradient in JAX beside ReLU, GELU and Swish."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

VERSION = f"jax {jax.__version__}"
REPEATS = 15


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/FUNCTION/seconds` with the seconds of each repeat."""
    functions = {
        "exported": getattr(exported, file["name"]),
        "relu": jax.nn.relu,
        "gelu": lambda a: jax.nn.gelu(a, approximate=False),
        "swish": jax.nn.silu,
    }
    inputs = jnp.asarray(x)
    for name, function in functions.items():
        run = with_gradient(function)
        yield f"eager/{name}/seconds", seconds(run, inputs)
        yield f"compiled/{name}/seconds", seconds(jax.jit(run), inputs)


def with_gradient(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function together with its slope."""

    def run(a: Any) -> Any:
        value, back = jax.vjp(function, a)
        return value, back(jnp.ones_like(value))[0]

    return run


def seconds(run: Callable[[Any], Any], inputs: Any) -> list[float]:
    """Wall time of each repeat, after one that is not counted."""
    wait: Any = jax.block_until_ready
    wait(run(inputs))
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        wait(run(inputs))
        times.append(time.perf_counter() - started)
    return times
