"""`actsearch leaderboard`, and the table that a launch ends with."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from search.cli.options import (
    DEFAULT_RUNS_DIR,
    AsCsv,
    AsJson,
    CampaignName,
    RunsDir,
    print_csv,
    print_json,
    wide_console,
)
from search.cli.tables import Column, fitting, headed, missing

if TYPE_CHECKING:
    from search.history import History
    from search.standings.leaderboard import LeaderboardRow

SHORT_ID: Final = 8
"""Digits of a candidate's id that are shown, and enough to name it."""

_ALLOCATIONS_A_COLLECTION: Final = 2_000_000


@dataclass(frozen=True)
class _Column:
    """One column of the table.

    Attributes:
        heading: Above it.
        text: What it says of a row.
        stays: Its turn to be left out where there is no room; 0 stays always.
    """

    heading: str
    text: Callable[[LeaderboardRow], str]
    stays: int = 0


_COLUMNS: Final = (
    _Column("rank", lambda row: str(row.rank)),
    _Column("expression", lambda row: row.shown),
    _Column("origin", lambda row: row.origin, 1),
    _Column("score", lambda row: f"{row.score:.4f}"),
    _Column("loss", lambda row: f"{row.validation_loss:.4f}", 3),
    _Column("accuracy", lambda row: f"{100 * row.validation_accuracy:.2f} %", 5),
    _Column("size", lambda row: str(row.size), 2),
    _Column("trained", lambda row: f"{row.steps} x {row.seeds}", 4),
    _Column("id", lambda row: row.candidate_id[:SHORT_ID]),
)


def _columns(first: LeaderboardRow) -> list[_Column]:
    """All columns; with several tasks, one for each of them behind the score."""
    tasks = [_Column(task.task, partial(_on_task, task.task), 6) for task in first.tasks]
    after_score = [each.heading for each in _COLUMNS].index("score") + 1
    return [*_COLUMNS[:after_score], *tasks, *_COLUMNS[after_score:]]


def _on_task(name: str, row: LeaderboardRow) -> str:
    """Advantage and best learning rate on a task; nothing where the row was not trained on it."""
    for task in row.tasks:
        if task.task == name:
            at = "" if task.learning_rate is None else f" at {task.learning_rate:g}"
            return f"{task.advantage:+.2f}{at}"
    return ""


def leaderboard_command(
    campaign: CampaignName,
    top: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 20,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """The best so far, with the baselines in the same table; works while the campaign runs."""
    from search.history import read_history
    from search.journal.journal import FILE_NAME, Journal
    from search.standings.leaderboard import find_campaign, leaderboard
    from search.texts.commands import command

    # It reads, prints and ends: looking for cycles in between would take a tenth of its time.
    gc.set_threshold(_ALLOCATIONS_A_COLLECTION)
    folder = find_campaign(campaign, runs_dir)
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    if as_json or as_csv:
        rows = [asdict(row) for row in leaderboard(history, top=top)]
        print_json(rows) if as_json else print_csv([_flat(row) for row in rows])
        return
    shown = leaderboard(history, top=top, baselines=True)
    print_leaderboard(shown, history, name=folder.name)
    holding = command("finals", folder.name, runs_dir=folder.parent)
    wide_console().print(_claimed(history, holding), highlight=False)


def print_leaderboard(rows: list[LeaderboardRow], history: History, *, name: str) -> None:
    """The first rows, and below them whichever baselines come later; nothing without rows.

    Where the terminal is narrow, columns are left out one by one, and their legend with them.
    """
    if not rows:
        return
    console = wide_console()
    columns = [_drawn(column, rows) for column in _columns(rows[0])]
    shown = fitting(columns, console.width)
    tasks = ", ".join(history.launch.tasks) if history.launch else "not launched"
    table = headed(shown, console.width, title=f"Leaderboard of {name}, {tasks}")
    cells = zip(*(column.cells for column in shown), strict=True)
    for before, row, line in zip([None, *rows], rows, cells, strict=False):
        if before is not None and row.rank > before.rank + 1:
            table.add_section()
        table.add_row(*line, style="cyan" if row.origin == "baseline" else None)
    console.print(table)
    console.print(_legend(rows[0], columns, shown, history), style="dim", highlight=False)


def _claimed(history: History, holding: str) -> str:
    """What finals have shown; without them, how far the best is from what is published."""
    from search.standings.verdict import verdict

    if not history.finals.plans:
        return verdict(history, holding)
    from search.finals import claim, finals_in, opened, tried

    finals = finals_in(history)
    assert finals is not None  # some were planned
    return f"Finals: {claim(finals)} {tried(finals)} {opened(finals)}"


def _drawn(column: _Column, rows: list[LeaderboardRow]) -> Column:
    return Column(
        column.heading,
        tuple(column.text(row) for row in rows),
        "anywhere" if column.heading == "expression" else "nowhere",
        leaves=column.stays,
        is_right=column.heading not in ("expression", "origin"),
    )


def _legend(
    first: LeaderboardRow, columns: list[Column], shown: list[Column], history: History
) -> str:
    said = [f"score: {_scored(first, history)}, higher is better."]
    if any(column.heading == "trained" for column in shown):
        said.append("trained: steps x seeds.")
    said.append(
        "Rows that trained longer stand above those that did not.\nThe top of this ranking is "
        "biased by selection: it says where to look, not what is better."
    )
    if left_out := missing(columns, shown):
        said.append(f"\n{left_out}")
    return " ".join(said).replace(" \n", "\n")


def _scored(row: LeaderboardRow, history: History) -> str:
    """What the score of a leaderboard is, in words."""
    if not row.tasks:
        return "minus the mean log validation loss"
    from search.appraisal.wording import tasks_by_weight

    aggregate = history.launch.aggregate if history.launch else "mean"
    tasks = tasks_by_weight([task.task for task in row.tasks], aggregate)
    rated = any(task.learning_rate is not None for task in row.tasks)
    at_own = ", each function at its own best learning rate" if rated else ""
    beside = "by task, with the rate" if rated else "by task"
    of_first = "; loss and accuracy are those of the first" if len(row.tasks) > 1 else ""
    return (
        f"the advantage in log loss over the best baseline on {tasks}{at_own}, in units of the "
        f"baselines' spread ({beside}; --json has the scores too{of_first})"
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row with what it came to on each of several tasks."""
    tasks = row.pop("tasks")
    scores = {f"score on {task['task']}": task["score"] for task in tasks}
    advantages = {f"advantage on {task['task']}": task["advantage"] for task in tasks}
    rates = {f"learning rate on {task['task']}": task["learning_rate"] for task in tasks}
    return row | scores | advantages | {on: rate for on, rate in rates.items() if rate is not None}
