"""Runs functions for NumPy, which give value and slope by two functions."""

from collections.abc import Iterator
from typing import Any

import numpy as np

VERSION = f"numpy {np.__version__}"


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    for precision in ("float32", "float16"):
        inputs = x.astype(precision)
        for quantity, name in (("value", file["name"]), ("slope", file["name"] + "_slope")):
            numbers = getattr(exported, name)(inputs)
            if numbers.dtype != precision:
                raise TypeError(f"{precision} in, {numbers.dtype} out")
            yield f"eager/{precision}/{quantity}", numbers.astype(np.float32)
