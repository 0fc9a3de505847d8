"""Runs exported files in their frameworks and compares what they compute with the reference."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import ml_dtypes
import numpy

from grammars.export.function import Function
from grammars.export.reference import Reference, points, reference

Status = Literal["verified", "failed", "unverified"]

# float32 holds 7 digits; a handful of operations leaves 5. bfloat16 holds 2 to 3: 8 bits, of which
# a framework's own function, computed in bfloat16 throughout, loses up to 3.
TOLERANCE: Final[Mapping[str, float]] = {"float32": 1e-5, "bfloat16": 4e-2}
_LARGEST: Final[Mapping[str, float]] = {
    "float32": float(numpy.finfo(numpy.float32).max),
    "bfloat16": 3.3895313892515355e38,
}
# An operation's error may be larger than sampled, and samples are few.
_SPREAD_ALLOWANCE: Final = 4.0
SECONDS_TO_START: Final = 180.0
SECONDS_PER_FILE: Final = 60.0

INPUTS: Final = "inputs.npz"
OUTPUTS: Final = "outputs.npz"
_CHILD: Final = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Check:
    """How one quantity agreed in one precision.

    Attributes:
        quantity: `value` or `slope`.
        precision: Of the input and the output, such as `float32`.
        points: How many inputs there were.
        compared: At how many the reference is finite and float32 can hold every intermediate.
        widened: At how many of those float32's own rounding can cost more than the tolerance, so
            that the tolerance is that cost.
        error: The largest |difference| / (1 + |reference|) where the tolerance was not widened.
        worst: The first input at which the difference is too large, None where there is none.
    """

    quantity: str
    precision: str
    points: int
    compared: int
    widened: int
    error: float
    worst: float | None = None

    @property
    def passed(self) -> bool:
        """Whether every compared point agreed."""
        return self.worst is None


@dataclass(frozen=True)
class Verification:
    """What is known about one exported file.

    Attributes:
        target: Such as `jax`.
        file: Name of the file.
        status: `unverified` where the framework is not at hand.
        reason: Why it failed or could not be verified, empty otherwise.
        framework: Name and version of what ran the file.
        checks: What was compared.
    """

    target: str
    file: str
    status: Status
    reason: str = ""
    framework: str = ""
    checks: tuple[Check, ...] = field(default=())

    def __str__(self) -> str:
        if self.status != "verified":
            return f"{self.file}: {self.status}: {self.reason}"
        errors = ", ".join(
            f"{check.quantity} {check.precision} {check.error:.1e}" for check in self.checks
        )
        return f"{self.file}: verified with {self.framework} (largest relative error: {errors})"

    def to_json(self) -> dict[str, Any]:
        """A JSON document."""
        return asdict(self)


@dataclass(frozen=True)
class Exported:
    """A file that waits for its verification."""

    target: str
    framework: str
    path: Path
    function: Function


def verify(files: Sequence[Exported], *, interpreter: str = sys.executable) -> list[Verification]:
    """Runs files in fresh processes, one a framework, and compares what they compute.

    Args:
        files: What to run.
        interpreter: The Python that has the frameworks; it need not have this package.

    Returns:
        One verification a file, in their order.
    """
    trials = {id(file.function): Trial.of(file.function) for file in files}
    results: dict[int, Verification] = {}
    for framework in dict.fromkeys(file.framework for file in files):
        indices = [index for index, file in enumerate(files) if file.framework == framework]
        group = [(files[index], trials[id(files[index].function)]) for index in indices]
        results.update(zip(indices, _verify_together(group, interpreter), strict=True))
    return [results[index] for index in range(len(files))]


@dataclass(frozen=True)
class Trial:
    """The inputs that a function is tried on, and what has to come out.

    Attributes:
        x: float32 numbers, in a second axis repeated for each channel where channels differ.
        expected: In the shape of `x`.
    """

    x: numpy.ndarray
    expected: Reference

    @classmethod
    def of(cls, function: Function) -> Trial:
        """Computes the reference with the parameters in float32, as the frameworks keep them."""
        channels = function.channels
        x = points() if channels is None else numpy.repeat(points()[:, None], channels, axis=1)
        values = {
            parameter.original: numpy.asarray(parameter.value, numpy.float32).astype(float)
            for parameter in function.parameters
        }
        return cls(x, reference(function.expression, x, values))


def _verify_together(
    group: Sequence[tuple[Exported, Trial]], interpreter: str
) -> list[Verification]:
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        answer = _run(group, Path(folder), interpreter)
    results = []
    for index, (file, trial) in enumerate(group):
        if answer.missing:
            result = Verification(file.target, file.path.name, "unverified", answer.missing)
        elif problem := answer.problems.get(index, answer.failure):
            result = Verification(file.target, file.path.name, "failed", problem)
        else:
            result = _compared(file, trial, answer.numbers[index], answer.version)
        results.append(result)
    return results


@dataclass(frozen=True)
class Answer:
    """What a child process said.

    Attributes:
        version: Of the framework that ran.
        missing: Which framework is not installed, in words.
        failure: Why the process as a whole failed, in words.
        problems: The errors of single files, by index.
        numbers: By index of the file and then `PRECISION/QUANTITY`.
    """

    version: str = ""
    missing: str = ""
    failure: str = ""
    problems: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[int, Mapping[str, numpy.ndarray]] = field(default_factory=dict)


def _run(group: Sequence[tuple[Exported, Trial]], folder: Path, interpreter: str) -> Answer:
    job = {
        "framework": group[0][0].framework,
        "files": [
            {"path": str(file.path.resolve()), "name": file.function.name} for file, _ in group
        ],
        "inputs": str(folder / INPUTS),
        "outputs": str(folder / OUTPUTS),
    }
    inputs: dict[str, Any] = {str(index): trial.x for index, (_, trial) in enumerate(group)}
    numpy.savez(folder / INPUTS, **inputs)
    # The files are judged, not this machine's accelerator, which would also be slower to start.
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    try:
        child = subprocess.run(
            [interpreter, "-I", str(_CHILD)],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            timeout=SECONDS_TO_START + SECONDS_PER_FILE * len(group),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(failure=f"{interpreter} gave no answer: {error}")
    if child.returncode != 0:
        return Answer(failure=f"exit status {child.returncode}: {child.stderr[-2_000:].strip()}")
    document = json.loads(child.stdout.strip().splitlines()[-1])
    if "missing" in document:
        return Answer(missing=document["missing"])
    numbers: dict[int, dict[str, numpy.ndarray]] = {}
    with numpy.load(folder / OUTPUTS) as arrays:
        for key in arrays:
            index, _, quantity = key.partition("/")
            numbers.setdefault(int(index), {})[quantity] = arrays[key]
    problems = {int(index): problem for index, problem in document["problems"].items()}
    return Answer(version=document["version"], problems=problems, numbers=numbers)


def _compared(
    file: Exported, trial: Trial, numbers: Mapping[str, numpy.ndarray], version: str
) -> Verification:
    checks = tuple(
        check(*reversed(key.split("/")), trial=trial, actual=actual)
        for key, actual in sorted(numbers.items())
    )
    reason = "; ".join(
        f"{check.quantity} in {check.precision} is off at x = {check.worst!r}"
        for check in checks
        if not check.passed
    )
    status: Status = "failed" if reason or not checks else "verified"
    return Verification(
        file.target, file.path.name, status, reason, f"{file.framework} {version}", checks
    )


def check(quantity: str, precision: str, *, trial: Trial, actual: numpy.ndarray) -> Check:
    """Compares one array with the reference.

    The policy: where the reference is not a number that float32 can reach and hold, nothing is
    compared. Elsewhere the result must lie within the tolerance, or within what rounding can cost
    in float32 if that is more. At a kink a slope is a convention and is not compared.

    Args:
        quantity: `value` or `slope`.
        precision: In which `actual` was computed.
        trial: The inputs and the reference.
        actual: What came out, in the shape of the inputs.
    """
    expected = trial.expected
    is_value = quantity == "value"
    wanted = expected.value if is_value else expected.slope
    spread = expected.value_spread if is_value else expected.slope_spread
    with numpy.errstate(all="ignore"):
        compared = numpy.isfinite(spread) & (numpy.abs(wanted) < _LARGEST[precision])
        if not is_value:
            compared &= expected.smooth
        if precision == "bfloat16":
            compared &= trial.x == trial.x.astype(ml_dtypes.bfloat16).astype(numpy.float32)
        scale = 1.0 + numpy.abs(wanted)
        error = numpy.abs(actual - wanted) / scale
        tolerance = TOLERANCE[precision]
        widened = compared & (_SPREAD_ALLOWANCE * spread > tolerance * scale)
        allowed = numpy.maximum(tolerance, _SPREAD_ALLOWANCE * spread / scale)
        # Asked this way round, so that a NaN is wrong.
        wrong = compared & ~(error <= allowed)
    strict = error[compared & ~widened]
    return Check(
        quantity,
        precision,
        points=trial.x.size,
        compared=int(compared.sum()),
        widened=int(widened.sum()),
        error=float(strict.max(initial=0.0)),
        worst=float(trial.x[wrong][0]) if wrong.any() else None,
    )
