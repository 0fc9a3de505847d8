"""Options that several verbs share, and how documents are printed."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from search.texts import commands
from search.texts.dotted import flatten

if TYPE_CHECKING:
    from search.executors.site import Site

INTERRUPTED = 130
"""Exit status after Ctrl-C."""

RunsDir = Annotated[
    Path,
    typer.Option("--runs-dir", help="Where campaigns and the MLflow store are kept."),
]
DEFAULT_RUNS_DIR = commands.DEFAULT_RUNS_DIR

ManualDir = Annotated[
    Path | None,
    typer.Option(
        "--manual-dir",
        help="Raw data files, with one folder a data set. [env: ACTSEARCH_MANUAL_DIR]",
    ),
]

JournalDir = Annotated[
    Path | None,
    typer.Option(
        "--journal-dir",
        envvar="ACTSEARCH_JOURNAL_DIR",
        help="Where a new campaign's journal is kept. [default: in its folder]",
    ),
]

CampaignName = Annotated[
    str, typer.Argument(help="A campaign's name, or its folder.", metavar="CAMPAIGN")
]

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")
]

AsCsv = Annotated[
    bool, typer.Option("--csv", help="Print comma-separated values with a header, nothing else.")
]

Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Training processes. [default: one a core]"),
]


class Executors(StrEnum):
    """Where workers run."""

    PROCESSES = "processes"
    RAY = "ray"


Executor = Annotated[
    Executors,
    typer.Option(
        "--executor", help="Workers on this machine, or on the Ray cluster at RAY_ADDRESS."
    ),
]

GpusPerWorker = Annotated[
    float,
    typer.Option(
        "--gpus-per-worker", min=0.0, max=64.0, help="What each worker asks a Ray cluster for."
    ),
]


def site_of(
    *,
    runs_dir: Path = DEFAULT_RUNS_DIR,
    manual_dir: Path | None,
    workers: int | None = None,
    executor: Executors = Executors.PROCESSES,
    gpus_per_worker: float = 0.0,
    journal_dir: Path | None = None,
) -> Site:
    """Where the options say that things run; sentences for people go to standard error."""
    from search.executors.site import Site

    return Site(
        runs_dir,
        manual_dir,
        workers,
        executor.value,
        gpus_per_worker,
        journal_dir=journal_dir,
        announce=say,
    )


Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting, such as --set search.population=32.", metavar="K=V"),
]


def print_json(document: Any) -> None:
    """Prints one JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints rows with a header line; a row may lack columns that others have.

    What lies within a row has columns with dotted names, and lists are written as JSON.
    """
    flat = [{key: _cell(value) for key, value in flatten(row).items()} for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    writer = csv.DictWriter(sys.stdout, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple) else value


def wide_console() -> Console:
    """Standard output; where it is no terminal, wide enough for tables that nobody folds.

    `COLUMNS` decides where it is set, and `NO_COLOR` takes colours away, on a terminal and in a
    file. Text is printed as it is: the brackets of `[relu(x), tanh(x)]` are no markup.
    """
    console = Console(markup=False)
    has_width = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    return console if has_width else Console(width=120, markup=False)


def say(text: str) -> None:
    """A message for people, on standard error."""
    print(text, file=sys.stderr, flush=True)
