"""`actsearch compare`: campaigns side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final

import typer

from search.cli.options import (
    DEFAULT_RUNS_DIR,
    AsCsv,
    AsJson,
    RunsDir,
    print_csv,
    print_json,
    wide_console,
)
from search.cli.tables import Breaks, print_table

_BREAKS: Final[Mapping[str, Breaks]] = {"expression": "anywhere", "trained": "nowhere"}
_LEAVING: Final = ("trained", "campaigns")


def compare_command(
    campaigns: Annotated[
        list[str],
        typer.Argument(help="Names of campaigns, or their folders.", metavar="CAMPAIGN"),
    ],
    top: Annotated[int, typer.Option(min=1, help="Rows of the shared leaderboard.")] = 10,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Campaigns side by side: settings that differ, what each came to, one leaderboard."""
    from search.standings.leaderboard import find_campaign
    from search.standings.side_by_side import side_by_side

    if len(campaigns) < 2:
        raise typer.BadParameter("name at least two campaigns")
    compared = side_by_side([find_campaign(name, runs_dir) for name in campaigns])
    if as_json:
        print_json(compared.to_json(top))
        return
    if as_csv:
        rows = compared.rows(top)
        print_csv([asdict(row) | {"campaigns": " ".join(names)} for row, names in rows])
        return
    for title, table in compared.tables(top).items():
        print_table(title, table, breaks=_BREAKS, leaving=_LEAVING)
    if compared.incomparable:
        wide_console().print(f"Do not compare across: {compared.incomparable}.", highlight=False)
