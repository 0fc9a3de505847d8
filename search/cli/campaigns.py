"""`actsearch launch` and `actsearch leaderboard`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from search.cli.options import (
    DEFAULT_RUNS_DIR,
    INTERRUPTED,
    AsJson,
    CampaignName,
    Executor,
    Executors,
    GpusPerWorker,
    JournalDir,
    ManualDir,
    RunsDir,
    Workers,
    print_json,
    say,
    site_of,
    wide_console,
)
from search.cli.report import report_at_end
from search.texts.commands import command

if TYPE_CHECKING:
    from search.history import History
    from search.launching.launch import Launch
    from search.library.campaign import Campaign
    from search.standings.leaderboard import LeaderboardRow


SHORT_ID = 8
"""Digits of a candidate's id that are shown, and enough to name it."""


def launch_command(
    campaign_file: Annotated[Path, typer.Argument(metavar="CAMPAIGN.toml")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, such as --set search.population=32.", metavar="K=V"),
    ] = None,
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
        with on_q(partial(_stop, campaign)):
            with progress_for(campaign.settings) as progress:
                result = campaign.run(
                    observers=[progress], announce=progress.announce, progress=False
                )
            _print_ending(campaign, result)
            if result.interrupted:
                say(_how_to_go_on())
                raise typer.Exit(INTERRUPTED)
            # Parts of the best are measured where finals have made it worth the time.
            is_complete = report_at_end(campaign, measure=campaign.settings.finals is not None)
    except KeyboardInterrupt:
        say(f"stopped at once, all but the running batch is kept: {_how_to_go_on()}")
        raise typer.Exit(INTERRUPTED) from None
    if not is_complete:
        say(f"the ablation is incomplete: {_how_to_go_on()}")
        raise typer.Exit(INTERRUPTED)


def _stop(campaign: Campaign) -> None:
    campaign.stop()
    say("stopping after the running batch; Ctrl-C stops now, without that batch")


def leaderboard_command(
    campaign: CampaignName,
    top: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 20,
    as_json: AsJson = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """The best so far, with the baselines in the same table; works while the campaign runs."""
    from search.history import read_history
    from search.history.unscored import explain_unscored, has_found
    from search.journal.journal import FILE_NAME, Journal
    from search.standings.leaderboard import find_campaign, leaderboard

    folder = find_campaign(campaign, runs_dir)
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    if as_json:
        print_json([asdict(row) for row in leaderboard(history, top=top)])
        return
    _print_leaderboard(leaderboard(history, top=top, baselines=True), title=folder.name)
    if has_found(history):
        _say_what_may_be_claimed(history, folder)
    else:
        print(explain_unscored(history))


def _how_to_go_on() -> str:
    """The command that was given, with its options: other ones might be another campaign."""
    return f"It goes on with: {shlex.join(['actsearch', *sys.argv[1:]])}"


def _print_ending(campaign: Campaign, result: Launch) -> None:
    from search.cli.finals import print_finals
    from search.finals import finals_in
    from search.history import read_history
    from search.history.unscored import explain_unscored, has_found
    from search.journal.journal import FILE_NAME, Journal
    from search.standings.leaderboard import leaderboard
    from search.tracking import destination_of_campaign

    settings, folder, runs_dir = campaign.settings, campaign.folder, campaign.site.runs_dir
    name = settings.name
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    rows, finals = leaderboard(history, top=10, baselines=True), finals_in(history)
    unscored = None if has_found(history) else explain_unscored(history)
    _print_leaderboard(rows, title=name)
    if finals is not None:
        print_finals(finals, title=name)
    print(f"\nThe campaign ended: {result.reason}.")
    print(_best(rows) if unscored is None else unscored)
    print(f"In {folder} are {_listed(folder)}.")
    if settings.tracking.mlflow:
        store = destination_of_campaign(folder)
        print(f"The MLflow store is {store.shown}; open the dashboard with")
        print(f"  {command('dashboard', runs_dir=runs_dir)}")
    if unscored is None:
        print("Take the best function with you:")
        target = ("--to", "jax", "--output", "activation.py")
        print(f"  {command('export', name, *target, runs_dir=runs_dir)}")


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


def _say_what_may_be_claimed(history: History, folder: Path) -> None:
    console = wide_console()
    if not history.finals.plans:
        holding = command("finals", folder.name, runs_dir=folder.parent)
        console.print(f"No finals were held; `{holding}` holds them.", style="dim")
        return
    from search.finals import claim, finals_in, opened, tried

    if (finals := finals_in(history)) is not None:
        said = f"Finals: {claim(finals)} {tried(finals.plan)} {opened(finals)}"
        console.print(said, highlight=False)


def _print_leaderboard(rows: list[LeaderboardRow], *, title: str) -> None:
    """The first rows, and below them whichever baselines come later; nothing without rows."""
    if not rows:
        return
    table = Table(title=f"Leaderboard of {title}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("rank", justify="right")
    table.add_column("expression", min_width=24, overflow="fold")
    table.add_column("origin")
    for heading in ("score", "loss", "accuracy", "size", "trained", "id"):
        table.add_column(heading, justify="right", no_wrap=True)
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and row.rank > before.rank + 1:
            table.add_section()
        table.add_row(
            str(row.rank),
            row.expression if row.name is None else f"{row.name} = {row.expression}",
            row.origin,
            f"{row.score:.4f}",
            f"{row.validation_loss:.4f}",
            f"{100 * row.validation_accuracy:.2f} %",
            str(row.size),
            f"{row.steps} x {row.seeds}",
            row.candidate_id[:SHORT_ID],
            style="cyan" if row.origin == "baseline" else None,
        )
    console = wide_console()
    console.print(table)
    console.print(
        f"score: {_scored(rows[0])}, higher is better. trained: steps x seeds. "
        "Rows that trained longer stand above those that did not.\nThis ranking chose the luckiest "
        "of many on few seeds: it says where to look, not what is better.",
        style="dim",
    )


def _scored(row: LeaderboardRow) -> str:
    """What the score of a leaderboard is, in words."""
    if not row.tasks:
        return "minus the mean log validation loss"
    from evaluators.statistics.comparison import listed

    rated = any(task.learning_rate is not None for task in row.tasks)
    at_own = ", each function at its own best learning rate" if rated else ""
    of_first = "; loss and accuracy are those of the first" if len(row.tasks) > 1 else ""
    return (
        f"the advantage in log loss over the best baseline on "
        f"{listed([task.task for task in row.tasks])}{at_own}, in units of the baselines' spread "
        f"(--json has it by task{of_first})"
    )
