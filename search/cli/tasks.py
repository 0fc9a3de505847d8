"""`actsearch tasks`: what there is to train on."""

from __future__ import annotations

from typing import Annotated

import typer

from search.cli.options import AsCsv, AsJson, print_csv, print_json
from search.cli.tables import Column, print_columns


def tasks_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of shipped tasks or task files, to be shown whole.", metavar="TASK"
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Lists the shipped tasks; shows those that are named as the TOML file that they are."""
    from evaluators.tasks import find_task, shipped_tasks, task_text

    found = [find_task(name) for name in names or shipped_tasks()]
    if as_json:
        print_json([task.to_mapping() for task in found])
    elif as_csv:
        print_csv([{"task": task.name, "description": task.description} for task in found])
    elif names:
        print("\n".join(map(task_text, found)), end="")
    else:
        described = Column("what it is", tuple(task.description for task in found), "anywhere")
        print_columns([Column("task", tuple(task.name for task in found)), described])
