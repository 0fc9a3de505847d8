"""The command in this process, with simulated training: a launch takes a fraction of a second."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from search.cli.app import main

from .simulation import Simulation

SMALL = """
seed = 7
task = "digits-mlp"
search.population = 8
scoring = { rungs = [{ steps = 20 }, { steps = 40, seeds = 2 }], reduction_factor = 2.0 }
stop.generations = 1
tracking.mlflow = false
"""


@dataclass(frozen=True)
class Answer:
    """What the command said and how it ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def is_clear_error(self) -> bool:
        """Whether it says what the user can mend."""
        return (
            self.status == 2
            and bool(self.stderr.strip())
            and "Traceback" not in self.stderr
            and "internal error" not in self.stderr
        )


class SimulatedPool(Simulation):
    """Stands in for a `ProcessPool`."""

    def __init__(self, workload: Any, **limits: Any) -> None:
        super().__init__()


def actsearch(*arguments: str | Path, pool: Callable[..., Any] = SimulatedPool) -> Answer:
    """Runs the command to its end, with this in place of its worker processes."""
    with (
        mock.patch("search.executors.starting.ProcessPool", pool),
        # Its figures take longer than all the rest of a launch, and it has tests of its own.
        mock.patch("search.cli.campaigns.report_at_end"),
    ):
        return captured(*arguments)


def launched(runs_dir: Path, name: str, *settings: str) -> None:
    """Launches a campaign of a moment, on data that come with scikit-learn."""
    path = runs_dir.parent / "campaign.toml"
    path.write_text(SMALL)
    changes = (word for each in (f"name={name}", *settings) for word in ("--set", each))
    answer = actsearch("launch", path, *changes, "--runs-dir", runs_dir)
    assert answer.status == 0, answer


def captured(*arguments: str | Path) -> Answer:
    """Runs the command to its end, as it is."""
    stdout, stderr = io.StringIO(), io.StringIO()
    status: int | str | None = None
    with (
        mock.patch.object(sys, "argv", ["actsearch", *map(str, arguments)]),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int)
    return Answer(status, stdout.getvalue(), stderr.getvalue())
