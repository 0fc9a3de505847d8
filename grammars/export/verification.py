"""Runs exported files in their real frameworks, in fresh processes, and reports how they agree."""

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

import numpy

from grammars.export.comparison import Check, Trial, check
from grammars.export.function import Function
from grammars.export.json import read_json
from grammars.export.targets import READ_BACK, Target

Status = Literal["verified", "failed", "unverified"]
Effort = Literal["quick", "usual", "thorough"]

SECONDS_TO_START: Final = 240.0
SECONDS_PER_FILE: Final = 120.0
INPUTS: Final = "inputs.npz"
OUTPUTS: Final = "outputs.npz"

_SCRIPT: Final = Path(__file__).with_name("runners") / "run.py"


@dataclass(frozen=True)
class Verification:
    """What is known about one exported file in one framework.

    Attributes:
        target: Such as `jax`.
        file: Name of the file.
        status: `unverified` where the framework is not at hand.
        reason: Why it failed or could not be verified, empty otherwise.
        framework: Names and versions of what ran the file.
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
        errors = ", ".join(str(check) for check in self.checks)
        told = f" (largest relative errors: {errors})" if errors else ""
        return f"{self.file}: verified with {self.framework}{told}"

    def to_json(self) -> dict[str, Any]:
        """A JSON document."""
        return asdict(self)


@dataclass(frozen=True)
class Exported:
    """A file that waits for its verification."""

    target: Target
    path: Path
    function: Function

    def verdict(self, status: Status, reason: str = "", **known: Any) -> Verification:
        """The verification of this file."""
        return Verification(self.target.name, self.path.name, status, reason, **known)


def verify(
    files: Sequence[Exported], *, interpreter: str = sys.executable, effort: Effort = "usual"
) -> list[Verification]:
    """Runs files in fresh processes, one a framework, and compares what they compute.

    Args:
        files: What to run.
        interpreter: The Python that has the frameworks; it need not have this package.
        effort: `quick` compiles nothing that need not be compiled, for many files at once;
            `thorough` also runs what takes many seconds a file, such as `torch.compile`.

    Returns:
        One verification for each file and each framework that runs it, in the files' order.
    """
    trials = {id(file.function): Trial.of(file.function) for file in files}
    results: dict[tuple[int, int], Verification] = {}
    for runner in dict.fromkeys(runner for file in files for runner in file.target.runners):
        group = {i: file for i, file in enumerate(files) if runner in file.target.runners}
        if runner == READ_BACK:
            verdicts = [_read_back(file) for file in group.values()]
        else:
            job = _Job(runner, list(group.values()), trials, effort)
            verdicts = _verify_together(job, interpreter)
        for (index, file), verdict in zip(group.items(), verdicts, strict=True):
            results[index, file.target.runners.index(runner)] = verdict
    return [results[key] for key in sorted(results)]


def _read_back(file: Exported) -> Verification:
    """What is ours to read needs no other framework: the expression must come back as it was."""
    if read_json(file.path) != file.function.expression:
        return file.verdict("failed", "the expression that is read back is another one")
    return file.verdict("verified", framework=f"actsearch {file.function.provenance.version}")


@dataclass(frozen=True)
class _Job:
    """What one process has to do."""

    runner: str
    files: Sequence[Exported]
    trials: Mapping[int, Trial]
    effort: Effort

    def trial(self, file: Exported) -> Trial:
        trial = self.trials[id(file.function)]
        return trial.exact if file.target.is_exact else trial

    def document(self, folder: Path) -> dict[str, Any]:
        return {
            "runner": self.runner,
            "files": [
                {
                    "path": str(file.path.resolve()),
                    "name": file.function.name,
                    "class_name": file.function.class_name,
                    "parameters": [
                        {"name": p.name, "is_row": isinstance(p.value, tuple)}
                        for p in file.function.parameters
                    ],
                    "effort": self.effort,
                }
                for file in self.files
            ],
            "inputs": str(folder / INPUTS),
            "outputs": str(folder / OUTPUTS),
        }


@dataclass(frozen=True)
class _Answer:
    """What a process said.

    Attributes:
        version: Of the framework that ran.
        missing: Which framework is not installed, in words.
        failure: Why the process as a whole failed, in words.
        problems: The errors of single files, by index.
        numbers: By index of the file and then `MODE/PRECISION/QUANTITY`.
    """

    version: str = ""
    missing: str = ""
    failure: str = ""
    problems: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[int, Mapping[str, numpy.ndarray]] = field(default_factory=dict)


def _verify_together(job: _Job, interpreter: str) -> list[Verification]:
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        answer = _run(job, Path(folder), interpreter)
    results = []
    for index, file in enumerate(job.files):
        if answer.missing:
            result = file.verdict("unverified", answer.missing)
        elif problem := answer.problems.get(index, answer.failure):
            result = file.verdict("failed", problem)
        else:
            result = _compared(file, job.trial(file), answer.numbers.get(index, {}), answer.version)
        results.append(result)
    return results


def _run(job: _Job, folder: Path, interpreter: str) -> _Answer:
    inputs: dict[str, Any] = {str(i): job.trial(file).x for i, file in enumerate(job.files)}
    numpy.savez(folder / INPUTS, **inputs)
    # The files are judged, not this machine's accelerator, which would also be slower to start.
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    try:
        child = subprocess.run(
            [interpreter, "-I", str(_SCRIPT)],
            input=json.dumps(job.document(folder)),
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            timeout=SECONDS_TO_START + SECONDS_PER_FILE * len(job.files),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _Answer(failure=f"{interpreter} gave no answer: {error}")
    if child.returncode != 0:
        return _Answer(failure=f"exit status {child.returncode}: {child.stderr[-2_000:].strip()}")
    document = json.loads(child.stdout.strip().splitlines()[-1])
    if "missing" in document:
        return _Answer(missing=document["missing"])
    numbers: dict[int, dict[str, numpy.ndarray]] = {}
    with numpy.load(folder / OUTPUTS) as arrays:
        for key in arrays:
            index, _, rest = key.partition("/")
            numbers.setdefault(int(index), {})[rest] = arrays[key]
    problems = {int(index): problem for index, problem in document["problems"].items()}
    return _Answer(version=document["version"], problems=problems, numbers=numbers)


def _compared(
    file: Exported, trial: Trial, numbers: Mapping[str, numpy.ndarray], version: str
) -> Verification:
    checks = tuple(
        check(key, trial=trial, actual=actual)
        for key, actual in numbers.items()
        if key.endswith(("/value", "/slope"))
    )
    reason = "; ".join(
        f"{check.quantity}, {check.mode} in {check.precision}, is off at x = {check.worst!r}"
        for check in checks
        if not check.passed
    )
    if not numbers:
        reason = "nothing came out"
    status: Status = "failed" if reason else "verified"
    return file.verdict(status, reason, framework=version, checks=checks)
