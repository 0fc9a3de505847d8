"""Starts a fresh process that runs exported files and reads back what they compute."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy

from grammars.export.function import Function

Effort = Literal["quick", "usual", "thorough"]

SECONDS_TO_START: Final = 240.0
SECONDS_PER_FILE: Final = 120.0
INPUTS: Final = "inputs.npz"
OUTPUTS: Final = "outputs.npz"

_SCRIPT: Final = Path(__file__).with_name("runners") / "run.py"


@dataclass(frozen=True)
class FileRun:
    """A file to run.

    Attributes:
        path: Where it is.
        function: What it holds.
        x: What to run it on, float32.
    """

    path: Path
    function: Function
    x: numpy.ndarray


@dataclass(frozen=True)
class Job:
    """What one process has to do: run files by a module of `runners/`."""

    runner: str
    tasks: Sequence[FileRun]
    effort: Effort = "usual"

    def document(self, folder: Path) -> dict[str, Any]:
        """What the process is told; arrays travel as files in `folder`."""
        return {
            "runner": self.runner,
            "files": [
                {
                    "path": str(task.path.resolve()),
                    "name": task.function.name,
                    "class_name": task.function.class_name,
                    "parameters": [
                        {"name": p.name, "is_row": isinstance(p.value, tuple)}
                        for p in task.function.parameters
                    ],
                    "effort": self.effort,
                }
                for task in self.tasks
            ],
            "inputs": str(folder / INPUTS),
            "outputs": str(folder / OUTPUTS),
        }


@dataclass(frozen=True)
class Answer:
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


def run_job(job: Job, *, interpreter: str) -> Answer:
    """Runs all files of a job in one fresh process.

    Args:
        job: The files and the module that runs them.
        interpreter: The Python that has the framework; it need not have this package.
    """
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        return _run_in(Path(folder), job, interpreter)


def _run_in(folder: Path, job: Job, interpreter: str) -> Answer:
    inputs: dict[str, Any] = {str(i): task.x for i, task in enumerate(job.tasks)}
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
            timeout=SECONDS_TO_START + SECONDS_PER_FILE * len(job.tasks),
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
            index, _, rest = key.partition("/")
            numbers.setdefault(int(index), {})[rest] = arrays[key]
    problems = {int(index): problem for index, problem in document["problems"].items()}
    return Answer(version=document["version"], problems=problems, numbers=numbers)
