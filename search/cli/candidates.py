"""`actsearch candidates`: whatever a campaign has considered, and what became of it."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.leaderboard import SHORT_ID
from search.cli.options import (
    DEFAULT_RUNS_DIR,
    AsCsv,
    AsJson,
    CampaignName,
    RunsDir,
    print_csv,
    print_json,
    say,
)
from search.cli.tables import Column, print_columns

if TYPE_CHECKING:
    from search.history import CandidateRecord
    from search.history.considered import CandidateRow


class Outcomes(StrEnum):
    """What may become of a candidate: how its last evaluation ended, or that it had none."""

    SCORED = "scored"
    REJECTED = "rejected"
    DIVERGED = "diverged"
    FAILED = "failed"
    UNTRAINED = "untrained"


def candidates_command(
    campaign: CampaignName,
    outcome: Annotated[
        Outcomes | None, typer.Option(help="Only those of which this became.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """All candidates in the order of the search: what was scored, and why others were not."""
    from search.history import read_history
    from search.history.considered import candidate_row
    from search.journal.journal import FILE_NAME, Journal
    from search.standings.leaderboard import find_campaign

    folder = find_campaign(campaign, runs_dir)
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    everybody = [(record, candidate_row(record)) for record in history.candidates.values()]
    chosen = [each for each in everybody if outcome is None or _became(each[1]) == outcome]
    rows = [row for _, row in chosen]
    if as_json:
        print_json(rows)
    elif as_csv:
        print_csv(rows)
    else:
        if chosen:
            print_columns(_columns(chosen), title=f"Candidates of {folder.name}")
        counts = Counter(_became(row) for _, row in everybody)
        told = ", ".join(f"{counts[each]} {each}" for each in Outcomes if counts[each])
        say(f"{len(everybody)} candidates: {told or 'nothing yet'}")


def _became(row: CandidateRow) -> str:
    return row["outcome"] or Outcomes.UNTRAINED


def _columns(chosen: list[tuple[CandidateRecord, CandidateRow]]) -> list[Column]:
    """The columns that say something of these, most of which leave where there is no room."""
    rows = [row for _, row in chosen]
    generations = tuple(str(row["generation"]) for row in rows)
    columns = [
        Column("expression", tuple(each.candidate.readable for each, _ in chosen), "anywhere"),
        Column("made by", tuple(row["variation"] for row in rows), "between words", leaves=3),
        Column("generation", generations, leaves=2, is_right=True),
        Column("outcome", tuple(map(_became, rows))),
        Column("fitness", tuple(map(_fitness, rows)), is_right=True),
        Column("trained", tuple(map(_trained, rows)), leaves=1, is_right=True),
        Column("reason", tuple(row["reason"] or "" for row in rows), "between words"),
        Column("id", tuple(row["candidate_id"][:SHORT_ID] for row in rows)),
    ]
    return [each for each in columns if any(each.cells)]


def _fitness(row: CandidateRow) -> str:
    return "" if row["fitness"] is None else f"{row['fitness']:.4f}"


def _trained(row: CandidateRow) -> str:
    """Steps and seeds of the last evaluation; what was rejected had none."""
    is_trained = row["outcome"] not in (None, str(Outcomes.REJECTED))
    return f"{row['steps']} x {row['seeds']}" if is_trained else ""
