"""Times an exported function with its gradient against ReLU, GELU and Swish."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy

from grammars.export.function import Function
from grammars.export.lowering import ExportError
from grammars.export.running import FileRun, Job, run_job
from grammars.export.targets import TARGETS
from grammars.expressions.expression import Expression

# Rows and columns of a layer's activations, large enough that starting a call costs nothing.
SHAPE: Final = (1_024, 1_024)

# The target: the module in `runners/` that times its files.
TIMERS: Final = {"jax": "time_jax", "pytorch": "time_torch"}


@dataclass(frozen=True)
class Timing:
    """The time of one function with its gradient.

    Attributes:
        framework: Name and version.
        mode: `eager` or `compiled`.
        function: `exported`, or one that it is compared with.
        nanoseconds: Per element, the median of the repeats.
    """

    framework: str
    mode: str
    function: str
    nanoseconds: float

    def __str__(self) -> str:
        return f"{self.framework}, {self.mode}: {self.function} {self.nanoseconds:.2f} ns"


def measure_speed(
    expression: Expression,
    target: str,
    *,
    shape: tuple[int, int] = SHAPE,
    interpreter: str = sys.executable,
) -> list[Timing]:
    """Times the exported file of `jax` or `pytorch` on normally distributed float32 numbers.

    Args:
        expression: What to export.
        target: `jax` or `pytorch`.
        shape: Of the input, rows by channels.
        interpreter: The Python that has the framework.

    Returns:
        One row for each mode and function; none where the framework is not installed.

    Raises:
        ExportError: If the target has no timer, or the file does not run.
    """
    if target not in TIMERS:
        raise ExportError(f"cannot time the target {target!r}; expected one of {list(TIMERS)}")
    function = Function(expression)
    x = numpy.random.default_rng(0).standard_normal(shape, numpy.float32)
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / f"{function.name}{TARGETS[target].suffix}"
        path.write_text(str(TARGETS[target].render(function)), encoding="utf-8")
        answer = run_job(Job(TIMERS[target], [FileRun(path, function, x)]), interpreter=interpreter)
    if problem := answer.failure or answer.problems.get(0, ""):
        raise ExportError(f"the file for {target} cannot be timed: {problem}")
    rows = []
    for key, seconds in answer.numbers.get(0, {}).items():
        mode, name, _ = key.split("/")
        rows.append(Timing(answer.version, mode, name, float(numpy.median(seconds)) / x.size * 1e9))
    return rows
