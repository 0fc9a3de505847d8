"""Runs functions and modules for PyTorch: eagerly, scripted, and on request compiled."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

VERSION = f"torch {torch.__version__}"
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

torch.set_num_threads(1)


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    module = getattr(exported, file["class_name"])()
    for precision in PRECISIONS:
        yield from measure_function(module, x, "eager", precision)
    yield from measure_function(torch.jit.script(module), x, "scripted", "float32")
    if file["effort"] == "thorough":
        yield from measure_function(torch.compile(module), x, "compiled", "float32")


def measure_function(
    function: Callable[[Any], Any], x: np.ndarray, mode: str, precision: str
) -> Iterator[tuple[str, Any]]:
    """Measures anything that maps a tensor to a tensor."""
    inputs = torch.tensor(x).to(PRECISIONS[precision]).requires_grad_()
    value = function(inputs)
    if value.dtype != inputs.dtype:
        raise TypeError(f"{inputs.dtype} in, {value.dtype} out")
    slope = torch.zeros_like(inputs)
    if value.requires_grad:
        (gradient,) = torch.autograd.grad(value, inputs, torch.ones_like(value), allow_unused=True)
        slope = slope if gradient is None else gradient
    yield f"{mode}/{precision}/value", value.detach().float().numpy()
    yield f"{mode}/{precision}/slope", slope.float().numpy()
