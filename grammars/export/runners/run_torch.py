"""Runs functions and modules for PyTorch: eagerly, traced, scripted, captured and compiled."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

VERSION = f"torch {torch.__version__}"
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# Rows that the kept memory is measured on, so many that parameters do not count beside them.
ROWS = 4_096

torch.set_num_threads(1)


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    kind = getattr(exported, file["class_name"])
    module = kind()
    for precision in PRECISIONS:
        yield from measure_function(module, x, "eager", precision)
    yield "eager/float32/kept", kept(module, x)
    if hasattr(module, "lean"):
        lean = kind(lean=True)
        for precision in PRECISIONS:
            yield from measure_function(lean, x, "lean", precision)
        yield "lean/float32/kept", kept(lean, x)
        yield from measure_function(torch.fx.symbolic_trace(lean), x, "lean, traced", "float32")
    yield from measure_function(torch.fx.symbolic_trace(module), x, "traced", "float32")
    yield from measure_function(torch.jit.script(module), x, "scripted", "float32")
    if file["effort"] != "quick":
        yield from captured(module, x)
    if file["effort"] == "thorough":
        yield from measure_function(torch.compile(module), x, "compiled", "float32")


def captured(module: Any, x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """As one graph without breaks, for compilation and for export."""
    torch._dynamo.reset()
    whole = torch.compile(module, fullgraph=True, backend="aot_eager")
    yield from measure_function(whole, x, "one graph", "float32")
    exported = torch.export.export(module, (torch.tensor(x),), strict=True).module()
    yield from measure_function(exported, x, "exported", "float32")


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


def kept(function: Callable[[Any], Any], x: np.ndarray) -> float:
    """The memory that stays for the backward pass, its input included, in sizes of the input."""
    shape = (ROWS, x.shape[1] if x.ndim == 2 else 1)
    inputs = torch.randn(shape, requires_grad=True)
    storages: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        value = function(inputs)
    del value
    return round(sum(storages.values()) / inputs.untyped_storage().nbytes(), 2)
