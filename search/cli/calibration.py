"""`actsearch calibrate`: how long, and how often, candidates should be trained on a task."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from search.cli.options import (
    AsJson,
    Executor,
    Executors,
    GpusPerWorker,
    ManualDir,
    Workers,
    print_json,
    site_of,
    wide_console,
)

if TYPE_CHECKING:
    from evaluators.statistics.calibration import Ladder, RungQuality, Scores


def calibrate_command(
    task: Annotated[str, typer.Option(help="What to train on.")] = "mnist-mlp",
    steps: Annotated[
        str, typer.Option(help="Rungs to choose from: optimiser steps, ascending.")
    ] = "100,200,400,800,1600",
    seeds: Annotated[int, typer.Option(min=2, max=100, help="Training runs of each.")] = 4,
    budget: Annotated[
        float,
        typer.Option(min=1.0, max=1e9, help="Steps a candidate that racing may cost on average."),
    ] = 500.0,
    workers: Workers = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    manual_dir: ManualDir = None,
    as_json: AsJson = False,
) -> None:
    """Scores the catalogue over many seeds; says what each rung is worth and which to use."""
    from evaluators.statistics.calibration import recommend, rung_qualities
    from evaluators.tasks import find_task
    from search.trials.protocol import published, train_on_every_rung

    site = site_of(
        manual_dir=manual_dir, workers=workers, executor=executor, gpus_per_worker=gpus_per_worker
    )
    rungs, chosen = ascending(steps), tuple(range(seeds))
    trained = train_on_every_rung(published(), rungs, task=find_task(task), seeds=chosen, site=site)
    names, measured = list(trained.evaluations), trained.scores
    qualities, ladder = rung_qualities(measured), recommend(measured, budget=budget)
    if as_json:
        print_json(_document(task, names, measured, qualities, ladder))
        return
    console = wide_console()
    console.print(_table(qualities, title=f"{task}, {len(names)} functions x {seeds} seeds"))
    console.print(_advice(ladder, budget=budget), highlight=False)


def ascending(text: str) -> tuple[int, ...]:
    """Numbers of steps from an option.

    Raises:
        typer.BadParameter: If they are none.
    """
    try:
        steps = tuple(int(part) for part in text.split(","))
    except ValueError:
        steps = ()
    if not steps or steps[0] < 1 or list(steps) != sorted(set(steps)):
        raise typer.BadParameter(
            f"expected ascending numbers of steps such as 100,400,1600, got {text!r}"
        )
    return steps


def _document(
    task: str, names: list[str], measured: Scores, qualities: list[RungQuality], ladder: Ladder
) -> dict[str, Any]:
    return {
        "task": task,
        "functions": names,
        "scores": measured.scores.tolist(),
        "accuracies": measured.accuracies.tolist(),
        "rungs": [asdict(quality) for quality in qualities],
        "recommended": asdict(ladder),
    }


def _table(qualities: list[RungQuality], *, title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in (
        "steps",
        "noise of score",
        "noise of accuracy",
        "reliability of score",
        "of accuracy",
        "Spearman with last",
        "best tenth in best quarter",
    ):
        table.add_column(heading, justify="right")
    for quality in qualities:
        table.add_row(
            f"{quality.steps:,}",
            f"{quality.score_noise:.3f}",
            f"{100 * quality.accuracy_noise:.2f} points",
            f"{quality.score_reliability:.3f}",
            f"{quality.accuracy_reliability:.3f}",
            f"{quality.spearman:.2f}",
            f"{100 * quality.top_recall:.0f} %",
        )
    return table


def _advice(ladder: Ladder, *, budget: float) -> str:
    rungs = ", ".join(f"{{ steps = {steps} }}" for steps in ladder.steps)
    return (
        f"For {budget:,.0f} steps a candidate:\n"
        f"  rungs = [{rungs}]\n"
        f"  reduction_factor = {max(ladder.reduction_factor, 1.5):g}\n"
        f"which costs {ladder.cost:,.0f} steps a candidate and trains "
        f"{100 * ladder.top_recall:.0f} % of the truly best tenth to the end."
    )
