"""`actsearch calibrate`: how long, and how often, candidates should be trained on a task."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from search.cli.options import (
    AsJson,
    ManualDir,
    Workers,
    print_json,
    say,
    wide_console,
    worker_count,
)

if TYPE_CHECKING:
    from evaluators.calibration import Ladder, RungQuality, Scores
    from evaluators.evaluation import Evaluation
    from evaluators.tasks import Task
    from grammars import Expression

_BATCH = 64
_TIMEOUT_SECONDS = 600.0


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
    manual_dir: ManualDir = None,
    as_json: AsJson = False,
) -> None:
    """Scores the catalogue over many seeds; says what each rung is worth and which to use."""
    from evaluators.calibration import recommend, rung_qualities

    names, measured = _measure(
        task, ascending(steps), seeds=seeds, workers=worker_count(workers), manual_dir=manual_dir
    )
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


def _measure(
    task: str, steps: tuple[int, ...], *, seeds: int, workers: int, manual_dir: Path | None
) -> tuple[list[str], Scores]:
    """Trains every function of the catalogue that passes the probes; leaves out what diverges.

    Returns:
        The names of those that are left, and what they came to.
    """
    import numpy as np

    from evaluators.calibration import Scores
    from evaluators.probes import probe
    from grammars import CATALOGUE, parse

    functions = {name: f for name in CATALOGUE if probe(f := parse(name)) is None}
    _, columns = train_on_every_rung(
        functions, task, steps, seeds=tuple(range(seeds)), workers=workers, manual_dir=manual_dir
    )
    losses = [[[s.validation_loss for s in r.per_seed] for r in c] for c in columns.values()]
    shares = [[[s.validation_accuracy for s in r.per_seed] for r in c] for c in columns.values()]
    return list(columns), Scores(
        steps,
        scores=-np.log(np.swapaxes(np.array(losses), 0, 1)),
        accuracies=np.swapaxes(np.array(shares), 0, 1),
    )


def train_on_every_rung(
    functions: Mapping[str, Expression],
    task: str,
    steps: Sequence[int],
    *,
    seeds: tuple[int, ...],
    workers: int,
    manual_dir: Path | None,
) -> tuple[Task, dict[str, Sequence[Evaluation]]]:
    """Trains functions, each rung going on from the one before; leaves out what diverges.

    Returns:
        The task, and what every function that is left came to on each rung, by its name.
    """
    from evaluators.datasets import load
    from evaluators.fidelity import Fidelity
    from evaluators.tasks import find_task
    from search.executors import ProcessPool, Workload

    trained = find_task(task)
    trained = trained.on(load(trained.data, manual_dir=manual_dir, announce=say))
    by_rung: list[list[Evaluation]] = []
    with (
        tempfile.TemporaryDirectory() as states,
        ProcessPool(
            Workload(trained, states_folder=Path(states)),
            workers=workers,
            batch=_BATCH,
            timeout_seconds=_TIMEOUT_SECONDS,
        ) as executor,
    ):
        for count in steps:
            fidelity = Fidelity(count, seeds)
            batches = executor.evaluate([*functions.values()], fidelity, stopping=threading.Event())
            by_rung.append([record for batch in batches for record in batch])
            say(f"{count} steps x {len(seeds)} seeds are done")
    columns = zip(functions, zip(*by_rung, strict=True), strict=True)
    return trained, {name: c for name, c in columns if all(record.per_seed for record in c)}


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
