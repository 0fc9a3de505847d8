"""Runs Flax NNX modules, compiled by JAX."""

import importlib.metadata
from collections.abc import Iterator
from typing import Any

import flax.nnx
import numpy as np
import run_jax

VERSION = f"flax {importlib.metadata.version('flax')}, {run_jax.VERSION}"


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    module = getattr(exported, file["class_name"])()
    graph, state = flax.nnx.split(module)

    def apply(a: Any) -> Any:
        return flax.nnx.merge(graph, state)(a)

    yield from run_jax.measure_function(apply, file, x)
