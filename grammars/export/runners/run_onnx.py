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
    for quantity, numbers in zip(
        ("value", "slope"), session.run(None, {"x": x.reshape(len(x), -1)}), strict=False
    ):
        yield f"inference/float32/{quantity}", numbers.reshape(x.shape)
