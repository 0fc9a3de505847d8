"""Compiles C headers, every warning an error, and runs them."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang") or ""
if not COMPILER:
    raise ImportError("no C compiler", name="a C compiler")
VERSION = subprocess.run(
    [COMPILER, "--version"], capture_output=True, text=True, check=True
).stdout.splitlines()[0]

FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-shared", "-fPIC"]

PROGRAM = """
#include "{header}"
void measure(const float *x, float *value, float *slope, int count, int channels);
void measure(const float *x, float *value, float *slope, int count, int channels)
{{
    for (int i = 0; i < count; ++i) {{
        const int channel = i % channels;
        (void)channel;
        value[i] = {name}({arguments});
        slope[i] = {name}_slope({arguments});
    }}
}}
"""


def measure(exported: Path, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    prefix = file["name"].upper()
    arguments = ["x[i]"] + [
        f"{prefix}_{parameter['name'].upper()}" + ("[channel]" if parameter["is_row"] else "")
        for parameter in file["parameters"]
    ]
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "measure.c"), Path(folder, "measure.so")
        source.write_text(
            PROGRAM.format(header=exported, name=file["name"], arguments=", ".join(arguments))
        )
        command = [COMPILER, *FLAGS, str(source), "-o", str(library), "-lm"]
        compiled = subprocess.run(command, capture_output=True, text=True, check=False)
        if compiled.returncode != 0:
            raise RuntimeError(compiled.stderr[:2_000])
        inputs = np.ascontiguousarray(x)
        value, slope = np.empty_like(inputs), np.empty_like(inputs)
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (inputs, value, slope)]
        channels = x.shape[1] if x.ndim == 2 else 1
        ctypes.CDLL(str(library)).measure(*pointers, x.size, channels)
    yield "compiled/float32/value", value
    yield "compiled/float32/slope", slope
