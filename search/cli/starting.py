"""`actsearch init`, `campaigns` and `strategies`: where a campaign begins."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from search.cli.options import (
    DEFAULT_RUNS_DIR,
    AsCsv,
    AsJson,
    RunsDir,
    print_csv,
    print_json,
    say,
)
from search.cli.tables import Column, print_columns


def init_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="Where to write it.")] = Path(
        "campaign.toml"
    ),
    task: Annotated[str, typer.Option(help="What to train on.")] = "mnist-mlp",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Writes a campaign file to start from, with every setting explained."""
    from evaluators.tasks import find_task
    from search.settings.template import campaign_template
    from search.texts.commands import command
    from search.texts.writing import write_whole

    find_task(task)
    if file.is_dir():
        raise IsADirectoryError(
            f"{file} is a folder; name a file in it, such as {file / 'campaign.toml'}"
        )
    if not file.parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {file.parent} to write {file.name} in; make it, or name another"
        )
    if file.exists() and not force:
        raise FileExistsError(f"{file} exists already; name another file, or replace it: --force")
    write_whole(file, campaign_template(task=task))
    say(f"{file} is a campaign to start from; edit it, then: {command('launch', file)}")


def campaigns_command(
    as_json: AsJson = False, as_csv: AsCsv = False, runs_dir: RunsDir = DEFAULT_RUNS_DIR
) -> None:
    """Lists the campaigns that were launched, and those that come with actsearch."""
    from search.standings.leaderboard import check_runs_dir

    check_runs_dir(runs_dir)
    rows = [*_launched(runs_dir), *_shipped()]
    if as_json:
        print_json(rows)
    elif as_csv:
        print_csv(rows)
    else:
        print_columns(
            [
                _column(rows, "campaign"),
                replace(_column(rows, "state"), breaks="anywhere"),
                replace(_column(rows, "trainings"), leaves=1, is_right=True),
                _column(rows, "best"),
                replace(_column(rows, "description"), breaks="anywhere", leaves=2),
            ]
        )
        say("`actsearch launch NAME` starts a shipped one; `actsearch init` writes your own")


def strategies_command(as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Lists the strategies that a campaign may search with."""
    from search.strategies import STRATEGIES

    rows = [
        {"strategy": name, "what it does": (made.__doc__ or "").partition("\n\n")[0].strip()}
        for name, made in STRATEGIES.items()
    ]
    if as_json:
        print_json(rows)
    elif as_csv:
        print_csv(rows)
    else:
        what = replace(_column(rows, "what it does"), breaks="anywhere")
        print_columns([_column(rows, "strategy"), what])
        say('a campaign file chooses one: [search] strategy = "surrogate"')


def _launched(runs_dir: Path) -> list[dict[str, Any]]:
    from search.history import read_history
    from search.journal.journal import FILE_NAME, Journal, JournalError

    if not runs_dir.is_dir():
        return []
    rows = []
    folders = sorted(each for each in runs_dir.iterdir() if each.is_dir())
    for path in (folder / FILE_NAME for folder in folders):
        if not os.path.lexists(path):
            continue
        row: dict[str, Any] = {
            "campaign": path.parent.name,
            "state": "",
            "trainings": None,
            "best": None,
        }
        try:
            with Journal(path, read_only=True) as journal:
                history = read_history(journal)
        except FileNotFoundError as error:  # kept elsewhere, or its launch has just begun
            row["state"] = "just begun" if path.exists() else str(error)
        except JournalError as error:
            row["state"] = f"unreadable: {error}"
        else:
            last = history.generations[-1].summary if history.generations else None
            row["state"] = "not ended" if history.finish is None else "ended"
            row["trainings"] = history.trainings
            row["best"] = last.best_score if last else None
        rows.append({**row, "description": _description(history) if row["trainings"] else ""})
    return rows


def _description(history: Any) -> str:
    return str(history.launch.settings.get("description", "")) if history.launch else ""


def _shipped() -> list[dict[str, Any]]:
    from search.settings import load_settings
    from search.settings.shipped import shipped_campaigns

    return [
        {
            "campaign": name,
            "state": "shipped",
            "trainings": None,
            "best": None,
            "description": load_settings(path).description,
        }
        for name, path in shipped_campaigns().items()
    ]


def _column(rows: list[dict[str, Any]], name: str) -> Column:
    return Column(name, tuple(_cell(row[name]) for row in rows))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
