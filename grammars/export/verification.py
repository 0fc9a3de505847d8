"""Runs exported files in their real frameworks, in fresh processes, and reports how they agree."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy

from grammars.export.comparison import Check, Trial, check
from grammars.export.function import Function
from grammars.export.json import read_json
from grammars.export.running import Effort, FileRun, Job, run_job
from grammars.export.speed import Timing
from grammars.export.targets import READ_BACK, Target

Status = Literal["verified", "failed", "unverified", "unwritten"]


@dataclass(frozen=True)
class Verification:
    """What is known about one exported file in one framework.

    Attributes:
        target: Such as `jax`.
        file: Name of the file.
        status: `unverified` where the framework is not at hand, `unwritten` where the package that
            writes the file is not.
        reason: Why it failed, or could not be verified or written, empty otherwise.
        framework: Names and versions of what ran the file.
        checks: What was compared.
        kept: By mode, the memory that the file keeps for the backward pass, its input included, in
            sizes of the input; empty where that is not the file's to say.
        timings: Of the function beside ReLU and others, where that was asked for.
    """

    target: str
    file: str
    status: Status
    reason: str = ""
    framework: str = ""
    checks: tuple[Check, ...] = ()
    kept: Mapping[str, float] = field(default_factory=dict)
    timings: tuple[Timing, ...] = ()

    def __str__(self) -> str:
        if self.status != "verified":
            status = "not written" if self.status == "unwritten" else self.status
            return f"{self.file}: {status}: {self.reason}"
        errors: dict[str, list[str]] = {}
        for found in self.checks:
            errors.setdefault(f"{found.mode} {found.precision}", []).append(f"{found.error:.0e}")
        listed = "; ".join(f"{how} {', '.join(sizes)}" for how, sizes in errors.items())
        told = f" (largest errors of value, slope: {listed})" if listed else ""
        sizes = ", ".join(f"{mode} {size:.3g}" for mode, size in self.kept.items())
        keeps = f"; keeps for the backward pass, in sizes of x: {sizes}" if sizes else ""
        return f"{self.file}: verified with {self.framework}{told}{keeps}"

    def to_json(self) -> dict[str, Any]:
        """A JSON document."""
        return asdict(self)


@dataclass(frozen=True)
class Exported:
    """A file that waits for its verification."""

    target: Target
    path: Path
    function: Function

    def trial(self, whole: Trial) -> Trial:
        """What the file is tried on."""
        return whole.exact if self.target.is_exact else whole

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
    # Files of one function share its trial, which takes longer than most files take to run.
    tried_on = {id(f.function): f.function for f in files if f.target.runners != (READ_BACK,)}
    trials = {key: Trial.of(function) for key, function in tried_on.items()}
    results: dict[tuple[int, int], Verification] = {}
    for runner in dict.fromkeys(runner for file in files for runner in file.target.runners):
        group = {i: file for i, file in enumerate(files) if runner in file.target.runners}
        if runner == READ_BACK:
            verdicts = [_read_back(file) for file in group.values()]
        else:
            tried = [(file, file.trial(trials[id(file.function)])) for file in group.values()]
            verdicts = _verify_together(runner, tried, effort, interpreter)
        for (index, file), verdict in zip(group.items(), verdicts, strict=True):
            results[index, file.target.runners.index(runner)] = verdict
    return [results[key] for key in sorted(results)]


def _read_back(file: Exported) -> Verification:
    """What is ours to read needs no other framework: the expression must come back as it was."""
    try:
        read, written = read_json(file.path), file.function
    except ValueError as error:  # such as a text that is longer than the parser takes
        return file.verdict("failed", f"it cannot be read back: {error}")
    if (read.expression, read.parameters) != (written.expression, written.parameters):
        return file.verdict("failed", "the function that is read back is another one")
    return file.verdict("verified", framework=f"actsearch {file.function.provenance.version}")


def _verify_together(
    runner: str, files: Sequence[tuple[Exported, Trial]], effort: Effort, interpreter: str
) -> list[Verification]:
    tasks = [FileRun(file.path, file.function, trial.inputs) for file, trial in files]
    answer = run_job(Job(runner, tasks, effort), interpreter=interpreter)
    results = []
    for index, (file, trial) in enumerate(files):
        if answer.missing:
            reason = f"{answer.missing}; install it, or name a Python that has it"
            result = file.verdict("unverified", reason)
        elif problem := answer.problems.get(index, answer.failure):
            result = file.verdict("failed", problem)
        else:
            result = _compared(file, trial, answer.numbers.get(index, {}), answer.version)
        results.append(result)
    return results


def _compared(
    file: Exported, trial: Trial, numbers: Mapping[str, numpy.ndarray], version: str
) -> Verification:
    checks = tuple(
        check(key, trial=trial, actual=actual, is_printed=file.target.prints_slope)
        for key, actual in numbers.items()
        if key.endswith(("/value", "/slope"))
    )
    reason = "; ".join(
        f"{check.quantity}, {check.mode} in {check.precision}, is off at x = {check.where}"
        for check in checks
        if not check.passed
    )
    if not numbers:
        reason = "nothing came out"
    kept = {
        key.partition("/")[0]: float(size) for key, size in numbers.items() if key.endswith("/kept")
    }
    status: Status = "failed" if reason else "verified"
    return file.verdict(status, reason, framework=version, checks=checks, kept=kept)
