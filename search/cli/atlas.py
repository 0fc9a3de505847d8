"""`actsearch atlas`: the best functions of all campaigns by task, and the map of their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from search.cli.options import (
    DEFAULT_RUNS_DIR,
    AsCsv,
    AsJson,
    RunsDir,
    print_csv,
    print_json,
    say,
    wide_console,
)
from search.cli.tables import Breaks, print_table

_BREAKS: Final[Mapping[str, Breaks]] = {"expression": "anywhere", "trained": "nowhere"}
# The score stays, what it is worth and how it was come by leave last.
_LEAVING: Final = ("rate", "campaigns", "trained", "ahead by")


def atlas_command(
    task: Annotated[str | None, typer.Option(help="One task alone. [default: all]")] = None,
    top: Annotated[int, typer.Option(min=1, help="Functions of each task.")] = 5,
    picture: Annotated[
        Path | None,
        typer.Option("--map", help="Draw the map of shapes into this .png, .svg, .pdf, ..."),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """The best functions of all campaigns by task, and a map of their shapes."""
    from search.standings.atlas import read_atlas
    from search.standings.leaderboard import check_runs_dir

    check_runs_dir(runs_dir)
    atlas = read_atlas(runs_dir)
    atlas.chart(task)  # says what there is, if there is nothing
    if picture is not None:
        atlas.map(task).save(picture)
        say(f"The map is {picture}")
    document = atlas.to_json(top, task=task)
    if as_json:
        print_json(document)
    elif as_csv:
        tasks = document["tasks"]
        print_csv([{"task": each["task"], **row} for each in tasks for row in each["best"]])
    else:
        for title, table in atlas.tables(top, task=task).items():
            print_table(title, table, breaks=_BREAKS, leaving=_LEAVING)
        for sentence in atlas.sentences():
            wide_console().print(sentence, style="dim", highlight=False)
