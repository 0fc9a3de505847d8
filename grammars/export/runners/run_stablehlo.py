"""Runs functions that `jax.export` has serialised together with their gradients."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flatbuffers  # noqa: F401 - missing it is an answer
import jax.export
import numpy as np
import run_jax

VERSION = run_jax.VERSION


def measure(exported: Path, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    function = jax.export.deserialize(bytearray(exported.read_bytes()))
    table = x.reshape(len(x), -1)
    for key, numbers in run_jax.measure_function(function.call, file, table, ("float32",)):
        yield key, numbers.reshape(x.shape)
