"""Runs ONNX models by ONNX Runtime, after the checker of ONNX has passed them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

VERSION = f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"


def measure(exported: Path, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0]
    precision = {"tensor(float)": "float32", "tensor(float16)": "float16"}[taken.type]
    parts = [
        session.run(None, {taken.name: part.astype(precision)})
        for part in shaped(x, len(taken.shape))
    ]
    for quantity, numbers in zip(("value", "slope"), zip(*parts, strict=True), strict=True):
        if {a.dtype for a in numbers} != {np.dtype(precision)}:
            raise TypeError(f"{precision} in, {numbers[0].dtype} out")
        joined = np.concatenate([a.reshape(-1) for a in numbers])
        yield f"inference/{precision}/{quantity}", joined.reshape(x.shape).astype(np.float32)


def shaped(x: np.ndarray, rank: int) -> list[np.ndarray]:
    """The inputs in arrays of so many axes, of which the second counts the channels."""
    table = x.reshape(len(x), -1)
    if rank >= 2:
        return [table.reshape(*table.shape, *(1 for _ in range(rank - 2)))]
    if rank == 1 and table.shape[1] == 1:
        return [table[:, 0]]
    return [row.reshape(row.shape if rank else ()) for row in table]
