"""`actsearch replicate`: one campaign from several seeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.campaigns import found, how_to_go_on, stop
from search.cli.options import (
    DEFAULT_RUNS_DIR,
    INTERRUPTED,
    AsCsv,
    AsJson,
    Executor,
    Executors,
    GpusPerWorker,
    JournalDir,
    ManualDir,
    Overrides,
    RunsDir,
    Workers,
    print_csv,
    print_json,
    say,
    site_of,
    wide_console,
)
from search.cli.report import report_at_end
from search.cli.tables import print_table

if TYPE_CHECKING:
    from search.library.campaign import Campaign, Watching
    from search.standings.replicates import Replicates


def replicate_command(
    campaign: Annotated[
        str,
        typer.Argument(
            metavar="CAMPAIGN",
            help="A campaign file, a campaign that was launched, or a shipped one, by name.",
        ),
    ],
    seeds: Annotated[int, typer.Option(min=1, help="How many, the campaign's own first.")] = 5,
    show: Annotated[
        bool, typer.Option("--show", help="Run nothing: show what they have come to.")
    ] = False,
    overrides: Overrides = None,
    workers: Workers = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    manual_dir: ManualDir = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    journal_dir: JournalDir = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Runs a campaign from several seeds; says how often its finding holds.

    The campaign itself comes first, then NAME-seed8, NAME-seed9 and so on: campaigns in the same
    runs directory, one after the other, each with its finals. The same command continues them.
    """
    from search.cli.keys import on_q

    site = site_of(
        runs_dir=runs_dir,
        manual_dir=manual_dir,
        workers=workers,
        executor=executor,
        gpus_per_worker=gpus_per_worker,
        journal_dir=journal_dir,
    )
    asked = found(campaign, overrides or [], site)
    if show:
        _print(asked.replicates(seeds), as_json=as_json, as_csv=as_csv)
        return
    try:
        with on_q(lambda: stop(asked)):
            replicates = asked.replicate(seeds, watch=_watched, on_end=_report)
    except KeyboardInterrupt:
        say(f"stopped at once, all but the running batch is kept: {how_to_go_on()}")
        raise typer.Exit(INTERRUPTED) from None
    _print(replicates, as_json=as_json, as_csv=as_csv)
    if replicates.interrupted:
        say(how_to_go_on())
        raise typer.Exit(INTERRUPTED)


@contextmanager
def _watched(campaign: Campaign) -> Iterator[Watching]:
    from search.cli.progress import progress_for

    say(f"{campaign.settings.name}, seed {campaign.settings.seed}")
    with progress_for(campaign.settings, campaign.folder) as progress:
        yield [progress], progress.announce


def _report(campaign: Campaign) -> None:
    report_at_end(campaign, measure=False)


def _print(replicates: Replicates, *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json(replicates.to_json())
        return
    if as_csv:
        print_csv(replicates.to_json()["replicates"])
        return
    for title, table in replicates.tables().items():
        # What each came to is worth more than its name, which the seed is part of.
        print_table(title, table, breaks={"leader": "anywhere"}, leaving=("campaign", "state"))
    for sentence in replicates.sentences():
        wide_console().print(sentence, highlight=False)
