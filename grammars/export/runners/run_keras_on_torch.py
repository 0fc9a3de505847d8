"""Runs Keras layers with PyTorch as the backend, saved and read back first."""

import os
from collections.abc import Iterator
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import run_torch

VERSION = f"keras {keras.__version__}, {run_torch.VERSION}"


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    kind = getattr(exported, file["class_name"])
    # Weights in half precision are another function, so that bfloat16 is that of mixed training.
    for precision, policy in (("float32", "float32"), ("bfloat16", "mixed_bfloat16")):
        layer = kind.from_config(kind(dtype=policy).get_config())
        yield from run_torch.measure_function(layer, x, "eager", precision)
