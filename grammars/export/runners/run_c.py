"""Compiles headers as C and as C++, every warning an error, and runs them."""

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

# What warns in GCC and Clang of what a careful project may have switched on.
WARNINGS = [
    *("-Wall", "-Wextra", "-pedantic", "-Werror", "-Wcast-qual", "-Wconversion"),
    *("-Wdouble-promotion", "-Wfloat-equal", "-Wmissing-declarations", "-Wredundant-decls"),
    *("-Wshadow", "-Wundef", "-Wvla", "-Wwrite-strings"),
]
LANGUAGES = {
    "C": (COMPILER, "c", ["-std=c99", "-Wmissing-prototypes", "-Wstrict-prototypes"]),
    "C++": (
        shutil.which("c++") or shutil.which("g++") or shutil.which("clang++"),
        "c++",
        ["-std=c++11", "-Wold-style-cast"],
    ),
}

PROGRAM = """
#include "{header}"
#ifdef __cplusplus
extern "C"
#endif
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
    """Yields `MODE/PRECISION/QUANTITY` and numbers, for each language that has a compiler."""
    prefix = file["name"].upper()
    arguments = ["x[i]"] + [
        f"{prefix}_{parameter['name'].upper()}" + ("[channel]" if parameter["is_row"] else "")
        for parameter in file["parameters"]
    ]
    program = PROGRAM.format(header=exported, name=file["name"], arguments=", ".join(arguments))
    for language, (compiler, suffix, flags) in LANGUAGES.items():
        if compiler:
            command = [compiler, "-x", suffix, *flags, *WARNINGS]
            value, slope = run(program, command, x)
            yield f"{language}/float32/value", value
            yield f"{language}/float32/slope", slope


def run(program: str, command: list[str], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a program computes; the compiler's words where it does not accept it."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "measure.txt"), Path(folder, "measure.so")
        source.write_text(program)
        options = ["-O2", "-shared", "-fPIC", str(source), "-o", str(library), "-lm"]
        compiled = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if compiled.returncode != 0:
            raise RuntimeError(compiled.stderr[:2_000])
        inputs = np.ascontiguousarray(x)
        value, slope = np.empty_like(inputs), np.empty_like(inputs)
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (inputs, value, slope)]
        channels = x.shape[1] if x.ndim == 2 else 1
        ctypes.CDLL(str(library)).measure(*pointers, x.size, channels)
    return value, slope
