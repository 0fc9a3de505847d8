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
    (taken,) = function.in_avals
    table = x.reshape(len(x), -1)
    call: Any = function.call
    if taken.ndim >= 2:
        table = table.reshape(len(x), *(1 for _ in range(taken.ndim - 2)), table.shape[1])
    elif taken.ndim == 1 and table.shape[1] == 1:
        table = table[:, 0]
    else:
        # One row after the other, or one number.
        table = table.reshape(len(x), *table.shape[1 : 1 + taken.ndim])

        def call(rows: Any) -> Any:
            return jax.lax.map(function.call, rows)

    for key, numbers in run_jax.measure_function(call, file, table, (str(taken.dtype),)):
        yield key, numbers.reshape(x.shape)
