"""`actsearch finals`: the last, honest comparison of a campaign."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.table import Table

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
from search.texts.shortening import shorten

if TYPE_CHECKING:
    from evaluators.statistics.comparison import Comparison
    from search.finals import Card, EntrantResults, Finals


# Against more rivals than these there is no room for intervals on a terminal.
_MOST_WHOLE: Final = 3
_HEADING: Final = 16


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
    console.print(_own_table(finals, title))
    if len(finals.cards) > 1:
        console.print(_transfer_table(finals))
    console.print(claim(finals), style="bold", highlight=False)
    parts = tried(finals.plan), opened(finals), orders(finals)
    console.print(" ".join(filter(None, parts)), highlight=False)
    console.print(f"{finals.plan.rule}\n{_explanation(finals)}", style="dim", highlight=False)
    for task, reason in finals.plan.left_out:
        console.print(f"Left out: {task}, since {reason}", highlight=False)


def _explanation(finals: Finals) -> str:
    measure, leader = finals.plan.measure, finals.leader
    family = "over the whole table"
    if measure.has_gate and leader is not None:
        family = f"first over {leader.label} alone, then, once that has passed, over all others"
    loss = "" if measure.name == "test accuracy" else ", below it the geometric mean of the losses"
    if len(finals.plan.rivals) > _MOST_WHOLE:
        further = "The report has the intervals, and the share of fresh seeds that speaks for each."
    else:
        further = (
            "The interval is at the level that p is held to; the share of fresh seeds on which the "
            "function is expected ahead is by Student's predictive distribution."
        )
    return (
        f"accuracy: on the test set, mean and standard deviation over the seeds{loss}. Beside it "
        f"the mean paired difference in {measure.name}, and p by a paired t test after Holm's "
        f"correction {family}. {further}"
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


def _own_table(finals: Finals, title: str) -> Table:
    card = finals.own
    table = Table(
        title=f"Finals {finals.plan.number} of {title}: {_setting(card)}; {_against(finals)}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("function", min_width=20, overflow="fold")
    table.add_column("accuracy", justify="right", no_wrap=True)
    _add_rivals(table, finals)
    for row in card.rows:
        comparisons = [
            card.comparison(row.entrant.candidate_id, rival) for rival in finals.plan.rivals
        ]
        style = "cyan" if row.entrant.role == "baseline" else None
        table.add_row(row.entrant.label, _accuracy(row), *_cells(card, comparisons), style=style)
    return table


def _transfer_table(finals: Finals) -> Table:
    title = f"Where it holds: {_against(finals)}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("function", min_width=20, overflow="fold")
    table.add_column("task", min_width=12, overflow="fold")
    _add_rivals(table, finals)
    for entrant in finals.plan.finalists:
        for cells in _transfers(finals, entrant.candidate_id):
            table.add_row(entrant.label, *cells)
        table.add_section()
    return table


def _transfers(finals: Finals, candidate_id: str) -> Iterator[list[str]]:
    for card in finals.cards:
        if card.state != "scored":
            yield [card.stage.title, card.reason, *[""] * (len(finals.plan.rivals) - 1)]
            continue
        comparisons = [card.comparison(candidate_id, rival) for rival in finals.plan.rivals]
        yield [card.stage.title, *_cells(card, comparisons)]


def _against(finals: Finals) -> str:
    return finals.plan.measure.title.format(rival="each rival")


def _add_rivals(table: Table, finals: Finals) -> None:
    rivals = finals.plan.rivals
    for rival in rivals:
        title = shorten(finals.plan.titles[rival], _HEADING)
        heading = title if len(rivals) > _MOST_WHOLE else f"against {title}"
        table.add_column(heading, justify="right", min_width=9, overflow="fold")


def _setting(card: Card) -> str:
    return f"{card.stage.title}, {card.stage.steps} steps, {len(card.seeds)} seeds"


def _accuracy(row: EntrantResults) -> str:
    if row.mean_percent is None:
        return ""
    deviation = "" if row.deviation_points is None else f" ± {row.deviation_points:.2f}"
    loss = "" if row.test_loss is None else f"\nloss {row.test_loss:.4f}"
    return f"{row.mean_percent:.2f}{deviation} %{loss}"


def _cells(card: Card, comparisons: Iterable[Comparison | None]) -> list[str]:
    compared = list(comparisons)
    is_brief = len(compared) > _MOST_WHOLE
    return [_cell(each, digits=card.measure.digits, is_brief=is_brief) for each in compared]


def _cell(comparison: Comparison | None, *, digits: int, is_brief: bool) -> str:
    from evaluators.statistics.comparison import Finding, p_words

    if comparison is None:
        return ""
    if comparison.difference is None or comparison.p_adjusted is None:
        return str(comparison.finding)
    low, high = comparison.low, comparison.high
    interval = "" if low is None or high is None else f"\n[{low:+.{digits}f}, {high:+.{digits}f}]"
    fresh = comparison.p_fresh
    ahead = "" if fresh is None else f"\nahead on {100 * fresh:.0f} %"
    verdict = f" {comparison.finding}" if comparison.finding.is_settled else ""
    is_tested = comparison.finding is not Finding.NOT_TESTED
    p = p_words(comparison.p_adjusted) if is_tested else str(comparison.finding)
    beside = "" if is_brief else interval
    return f"{comparison.difference:+.{digits}f}{verdict}{beside}\n{p}{'' if is_brief else ahead}"
