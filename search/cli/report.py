"""`actsearch report` and `actsearch record`: a campaign as a page, and kept for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import (
    DEFAULT_RUNS_DIR,
    INTERRUPTED,
    CampaignName,
    Executor,
    Executors,
    GpusPerWorker,
    ManualDir,
    RunsDir,
    Workers,
    say,
    site_of,
)

if TYPE_CHECKING:
    from search.library.campaign import Campaign


def report_command(
    campaign: CampaignName,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write into. [default: the campaign's]"),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure/--no-measure",
            help="Train the best functions without each of their parts, once.",
        ),
    ] = True,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    workers: Workers = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    manual_dir: ManualDir = None,
) -> None:
    """Writes one page with all that a campaign found, and its figures as PNG and SVG."""
    from search.library.campaign import Campaign
    from search.standings.leaderboard import find_campaign

    site = site_of(
        runs_dir=runs_dir,
        manual_dir=manual_dir,
        workers=workers,
        executor=executor,
        gpus_per_worker=gpus_per_worker,
    )
    found = Campaign.load(find_campaign(campaign, runs_dir), site=site)
    result = found.report(output, measure=measure)
    print(result.page)
    if show:
        typer.launch(result.page.resolve().as_uri())
    if result.interrupted:
        say("the ablation is incomplete; the same command goes on with it")
        raise typer.Exit(INTERRUPTED)


def report_at_end(campaign: Campaign, *, measure: bool) -> bool:
    """Writes the report of what has just ended, and says where it is; whether it is complete."""
    from search.standings.leaderboard import CandidateNotFoundError

    try:
        result = campaign.report(measure=measure)
    except CandidateNotFoundError:
        return True  # a search that scored nothing has nothing to report
    say(f"The report is {result.page}")
    return not result.interrupted


def record_command(
    campaign: CampaignName,
    records: Annotated[
        Path | None,
        typer.Option("--records-dir", help="Where records are kept. [default: RUNS_DIR/records]"),
    ] = None,
    journal: Annotated[
        bool,
        typer.Option("--journal", help="Keep the journal too, compressed: others can go on."),
    ] = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Copies a campaign's settings, hall of fame, finals and report to where records are kept."""
    from search.library.records import RECORDS, record
    from search.standings.leaderboard import find_campaign

    target = records or runs_dir / RECORDS
    print(record(find_campaign(campaign, runs_dir), target, journal=journal))
