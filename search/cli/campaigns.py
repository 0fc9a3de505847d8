"""`actsearch launch`."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.leaderboard import print_leaderboard
from search.cli.options import (
    DEFAULT_RUNS_DIR,
    INTERRUPTED,
    Executor,
    Executors,
    GpusPerWorker,
    JournalDir,
    ManualDir,
    Overrides,
    RunsDir,
    Workers,
    say,
    site_of,
)
from search.cli.report import report_at_end
from search.texts.commands import command

if TYPE_CHECKING:
    from search.launching.launch import Launch
    from search.library.campaign import Campaign
    from search.standings.leaderboard import LeaderboardRow


def launch_command(
    campaign_file: Annotated[
        str,
        typer.Argument(
            metavar="CAMPAIGN.toml", help="A campaign file, or the name of a shipped campaign."
        ),
    ],
    overrides: Overrides = None,
    workers: Workers = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    manual_dir: ManualDir = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    journal_dir: JournalDir = None,
) -> None:
    """Launches a campaign; launching it again continues it."""
    from search.cli.keys import on_q
    from search.cli.progress import progress_for
    from search.library.campaign import Campaign

    site = site_of(
        runs_dir=runs_dir,
        manual_dir=manual_dir,
        workers=workers,
        executor=executor,
        gpus_per_worker=gpus_per_worker,
        journal_dir=journal_dir,
    )
    campaign = Campaign(campaign_file, overrides=overrides or [], site=site)
    try:
        with on_q(partial(stop, campaign)):
            with progress_for(campaign.settings, campaign.folder) as progress:
                result = campaign.run(
                    observers=[progress], announce=progress.announce, progress=False
                )
            _print_ending(campaign, result)
            if result.interrupted:
                say(how_to_go_on())
                raise typer.Exit(INTERRUPTED)
            # Parts of the best are measured where finals have made it worth the time.
            say("writing the report")
            is_complete = report_at_end(campaign, measure=campaign.settings.finals is not None)
    except KeyboardInterrupt:
        say(f"stopped at once, all but the running batch is kept: {how_to_go_on()}")
        raise typer.Exit(INTERRUPTED) from None
    if not is_complete:
        say(f"the ablation is incomplete: {how_to_go_on()}")
        raise typer.Exit(INTERRUPTED)


def stop(campaign: Campaign) -> None:
    """Stops after the running batches, as q asks."""
    campaign.stop()
    say("stopping after the running batch; Ctrl-C stops now, without that batch")


def how_to_go_on() -> str:
    """The command that was given, with its options: other ones might be another campaign."""
    return f"It goes on with: {shlex.join(['actsearch', *sys.argv[1:]])}"


def _print_ending(campaign: Campaign, result: Launch) -> None:
    from search.cli.finals import print_finals
    from search.finals import finals_in
    from search.history import read_history
    from search.history.unscored import has_found
    from search.journal.journal import FILE_NAME, Journal
    from search.standings.leaderboard import leaderboard
    from search.standings.verdict import trained_on, verdict
    from search.tracking import destination_of_campaign

    settings, folder, runs_dir = campaign.settings, campaign.folder, campaign.site.runs_dir
    name = settings.name
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    rows, finals = leaderboard(history, top=10, baselines=True), finals_in(history)
    print_leaderboard(rows, title=f"{name}, {trained_on(history)}")
    if finals is not None:
        print_finals(finals, title=name)
    print(f"\nThe campaign ended: {result.reason}.")
    if has_found(history):
        print(_best(rows))
    print(f"In {folder} are {_listed(folder)}.")
    if settings.tracking.mlflow:
        store = destination_of_campaign(folder)
        print(f"The MLflow store is {store.shown}; open the dashboard with")
        print(f"  {command('dashboard', runs_dir=runs_dir)}")
    if has_found(history):
        print("Export the best discovered function with")
        target = ("--to", "jax", "--output", "activation.py")
        print(f"  {command('export', name, *target, runs_dir=runs_dir)}")
    print(f"\n{verdict(history, command('finals', name, runs_dir=runs_dir))}")


def _best(rows: list[LeaderboardRow]) -> str:
    """What the best discovered function is, in a sentence."""
    from grammars import parse_activation
    from search.candidates.novelty import novelty

    best = next(row for row in rows if row.origin == "discovered")
    return (
        f"The best discovered is {best.expression}: {novelty(parse_activation(best.expression))}."
    )


def _listed(folder: Path) -> str:
    """The files of a campaign that are there, in words."""
    from evaluators.statistics.comparison import listed
    from search.candidates.hall_of_fame import FILE_NAME as HALL_OF_FAME
    from search.launching.launch import FRONT_PICTURE

    kept = {HALL_OF_FAME: "hall of fame", FRONT_PICTURE: "Pareto front (front.png)"}
    present = [words for file, words in kept.items() if (folder / file).is_file()]
    return listed(["its journal", "settings", *present])
