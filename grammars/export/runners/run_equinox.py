"""Runs Equinox modules, compiled by JAX."""

import importlib.metadata
from collections.abc import Iterator
from typing import Any

import equinox  # noqa: F401 - missing it is an answer
import numpy as np
import run_jax

VERSION = f"equinox {importlib.metadata.version('equinox')}, {run_jax.VERSION}"


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    yield from run_jax.measure_function(getattr(exported, file["class_name"])(), file, x)
