"""`actsearch finals`: the last, honest comparison of a campaign."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.cli.finals_tables import print_own, print_transfers
from search.cli.options import (
    DEFAULT_RUNS_DIR,
    INTERRUPTED,
    AsCsv,
    AsJson,
    CampaignName,
    Executor,
    Executors,
    GpusPerWorker,
    ManualDir,
    RunsDir,
    Workers,
    print_csv,
    print_json,
    say,
    site_of,
    wide_console,
)
from search.cli.report import report_at_end
from search.texts.commands import command

if TYPE_CHECKING:
    from search.finals import Finals


def finals_command(
    campaign: CampaignName,
    top: Annotated[int | None, typer.Option(min=1, help="Best of the search that enter.")] = None,
    candidate: Annotated[
        list[str] | None,
        typer.Option(
            "--candidate", help="The id of one that enters in place of the best, or how it begins."
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=2, help="Training seeds, analysed once, after the last.")
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option(help="Tasks to transfer to, such as fashion-mlp,mnist-cnn; '' for none."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps of each run.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Budget.")] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Enter the leader in MLflow's model registry.")
    ] = False,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any setting of the section finals, such as --set own_rates=true.",
            metavar="K=V",
        ),
    ] = None,
    workers: Workers = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    manual_dir: ManualDir = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Compares the best of a campaign with all baselines on fresh seeds and test data.

    Without options it goes on with the finals that were planned last, or reports them.
    """
    from search.cli.progress import FinalsProgress
    from search.finals import finals_document, finals_rows
    from search.library.campaign import Campaign
    from search.settings import overridden
    from search.standings.leaderboard import find_campaign

    folder = find_campaign(campaign, runs_dir)
    changes = _changes(
        top=top,
        seeds=seeds,
        tasks=tasks,
        steps=steps,
        minutes=minutes,
        register_leader=register or None,
        candidates=tuple(candidate or ()) or None,
    )
    changes |= overridden({}, overrides or ())
    progress = FinalsProgress()
    site = site_of(
        runs_dir=folder.parent,
        manual_dir=manual_dir,
        workers=workers,
        executor=executor,
        gpus_per_worker=gpus_per_worker,
    )
    found = Campaign.load(folder, site=site)
    held = found.finals(observers=[progress], **changes)
    if held.interrupted:
        going_on = f"with: {command('finals', folder.name, runs_dir=folder.parent)}"
        say(f"They go on {going_on if held.finals else 'with the same command'}")
        raise typer.Exit(INTERRUPTED)
    assert held.finals is not None
    if as_json:
        rivals = None if held.practice is None else held.practice.to_json()
        print_json({**finals_document(held.finals), "rival_practice": rivals})
    elif as_csv:
        print_csv(list(finals_rows(held.finals)))
    else:
        print_finals(held.finals, title=folder.name)
    if os.access(folder, os.W_OK):
        report_at_end(found, measure=False)


def print_finals(finals: Finals, *, title: str) -> None:
    """The claim, the own task's table, and where it holds elsewhere."""
    from search.finals import claim, opened, orders, tried

    console = wide_console()
    comparisons = print_own(finals, title=title)
    if len(finals.cards) > 1:
        print_transfers(finals)
    console.print(claim(finals), style="bold", highlight=False)
    parts = tried(finals), opened(finals), orders(finals)
    console.print(" ".join(filter(None, parts)), highlight=False)
    explained = f"{finals.plan.rule}\n{_explanation(finals)} {comparisons}"
    console.print(explained, style="dim", highlight=False)
    for task, reason in finals.plan.left_out:
        console.print(f"Left out: {task}, since {reason}", highlight=False)


def _explanation(finals: Finals) -> str:
    measure, leader = finals.plan.measure, finals.leader
    family = "over the whole table"
    if measure.has_gate and leader is not None:
        family = f"first over {leader.label} alone, then, once that has passed, over all others"
    loss = "" if measure.name == "test accuracy" else ", below it the geometric mean of the losses"
    return (
        f"accuracy: on the test set, mean and standard deviation over the seeds{loss}. Beside it "
        f"the mean paired difference in {measure.name}, and p by a paired t test after Holm's "
        f"correction {family}."
    )


def _changes(*, tasks: str | None, **given: Any) -> dict[str, Any]:
    """What the options change in the settings of finals."""
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if "seeds" in changes:
        changes["max_seeds"] = changes["seeds"]
    if tasks is not None:
        changes["transfer"] = tuple(name.strip() for name in tasks.split(",") if name.strip())
        changes["learning_rates"] = ()
    return changes
