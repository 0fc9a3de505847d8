"""Times an exported function and its gradient in PyTorch beside ReLU, GELU and Swish."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional

VERSION = f"torch {torch.__version__}"
REPEATS = 15

torch.set_num_threads(1)


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/FUNCTION/seconds` with the seconds of each repeat."""
    functions = {
        "exported": getattr(exported, file["class_name"])(),
        "relu": functional.relu,
        "gelu": functional.gelu,
        "swish": functional.silu,
    }
    inputs = torch.tensor(x).requires_grad_()
    for name, function in functions.items():
        yield f"eager/{name}/seconds", seconds(function, inputs)
        yield f"compiled/{name}/seconds", seconds(torch.compile(function), inputs)


def seconds(function: Callable[[Any], Any], inputs: Any) -> list[float]:
    """Wall time of each repeat, after one that is not counted."""
    times = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        value = function(inputs)
        torch.autograd.grad(value, inputs, torch.ones_like(value))
        times.append(time.perf_counter() - started)
    return times[1:]
