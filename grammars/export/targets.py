"""The table of targets: what a discovered function can be exported to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from grammars.export import (
    c,
    equinox,
    flax,
    jax,
    json,
    keras,
    latex,
    numpy,
    onnx,
    pytorch,
    stablehlo,
    sympy,
)
from grammars.export.function import Function

# The runner of what this package reads itself.
READ_BACK: Final = "read_back"


@dataclass(frozen=True)
class Target:
    """One row of the table.

    Attributes:
        name: What users write after `--to`.
        suffix: What follows the function's name in the file's name.
        title: What the file holds, in words.
        render: Writes the file.
        runners: The modules in `runners/` that run the file when it is verified.
        is_exact: Whether the file holds the mathematical function, without guards or rounding.
        prints_slope: Whether the file computes its slope by itself, so that no framework derives
            it.
    """

    name: str
    suffix: str
    title: str
    render: Callable[[Function], str | bytes]
    runners: tuple[str, ...]
    is_exact: bool = False
    prints_slope: bool = False


_ROWS: Final = (
    Target("jax", "_jax.py", "a function", jax.render, ("run_jax",)),
    Target("flax", "_flax.py", "a function and an NNX module", flax.render, ("run_flax",)),
    Target("equinox", "_equinox.py", "a function and a module", equinox.render, ("run_equinox",)),
    Target("pytorch", "_pytorch.py", "a function and a module", pytorch.render, ("run_torch",)),
    Target(
        "keras",
        "_keras.py",
        "a Keras 3 layer for any backend",
        keras.render,
        ("run_keras_on_jax", "run_keras_on_torch"),
    ),
    Target(
        "onnx",
        ".onnx",
        "a model of standard operators",
        onnx.render,
        ("run_onnx",),
        prints_slope=True,
    ),
    Target(
        "stablehlo",
        ".stablehlo",
        "the function and its gradient by jax.export",
        stablehlo.render,
        ("run_stablehlo",),
    ),
    Target(
        "numpy",
        "_numpy.py",
        "a function and its derivative",
        numpy.render,
        ("run_numpy",),
        prints_slope=True,
    ),
    Target(
        "c",
        ".h",
        "a C99 header with the function and its derivative",
        c.render,
        ("run_c",),
        prints_slope=True,
    ),
    Target(
        "sympy",
        "_sympy.py",
        "an exact expression",
        sympy.render,
        ("run_sympy",),
        is_exact=True,
    ),
    Target("latex", ".tex", "a formula", latex.render, ("run_latex",), is_exact=True),
    Target(
        "json", ".json", "our own format, read by --expression @FILE", json.render, (READ_BACK,)
    ),
)

TARGETS: Final[Mapping[str, Target]] = {row.name: row for row in _ROWS}
