"""`actsearch calibrate`: how long, and how often, candidates should be trained on a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, cast, get_args

import typer

from search.cli.options import (
    AsCsv,
    AsJson,
    Executor,
    Executors,
    GpusPerWorker,
    ManualDir,
    Workers,
    print_csv,
    print_json,
    site_of,
    wide_console,
)
from search.cli.tables import print_figures

if TYPE_CHECKING:
    from evaluators.statistics.calibration import Ladder, RungQuality
    from evaluators.statistics.fair_calibration import Foresight, RateQuality
    from evaluators.tasks import Task
    from search.texts.tables import Table
    from search.trials.calibrating import Calibrated

_FORESIGHT: Final = "what rungs know of 4 times as long runs in networks twice as wide"


def calibrate_command(
    task: Annotated[
        str, typer.Option(help="What to train on; several with commas are scored together.")
    ] = "mnist-mlp",
    steps: Annotated[
        str, typer.Option(help="Rungs to choose from: optimiser steps, ascending.")
    ] = "100,200,400,800,1600",
    seeds: Annotated[int, typer.Option(min=2, max=100, help="Training runs of each.")] = 4,
    rates: Annotated[
        str,
        typer.Option(help="Learning rates, ascending: each function is scored at its own best."),
    ] = "",
    schedule: Annotated[
        str, typer.Option(help="constant, decay, warmup or cosine, in place of the recipes' own.")
    ] = "",
    recall: Annotated[
        bool,
        typer.Option(
            "--recall",
            help="Also train 4 times as long in networks twice as wide, and say what rungs know "
            "of that.",
        ),
    ] = False,
    budget: Annotated[
        float,
        typer.Option(min=1.0, max=1e9, help="Steps a candidate that racing may cost on average."),
    ] = 500.0,
    workers: Workers = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    manual_dir: ManualDir = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Scores the catalogue over many seeds; says what each rung is worth and which to use."""
    from evaluators.statistics.calibration import recommend, rung_qualities
    from search.trials.calibrating import calibrate
    from search.trials.protocol import published

    site = site_of(
        manual_dir=manual_dir, workers=workers, executor=executor, gpus_per_worker=gpus_per_worker
    )
    rungs, tasks = ascending(steps), _tasks(task, schedule)
    found = calibrate(
        published(),
        rungs,
        tasks=tasks,
        rates=_rates(rates),
        seeds=tuple(range(seeds)),
        site=site,
        with_dear=recall,
    )
    qualities, ladder = rung_qualities(found.whole), recommend(found.whole, budget=budget)
    if as_json:
        print_json(_document(task, found, qualities, ladder))
        return
    if as_csv:
        print_csv([asdict(quality) for quality in qualities])
        return
    count = f"{len(found.names)} functions x {seeds} seeds"
    for name, scores in found.by_task.items() if len(tasks) > 1 else ():
        print_figures(f"{name}, {count}", _rungs_table(rung_qualities(scores)))
    for name, known in found.rates.items():
        print_figures(f"{name}: everybody at one rate", _rates_table(known))
    together = task if len(tasks) == 1 else f"{', '.join(tasks)} together, in spreads"
    print_figures(f"{together}, {count}", _rungs_table(qualities))
    if found.dear is not None:
        print_figures(_FORESIGHT, _foresight_table(foresights_of(found)))
    wide_console().print(_advice(ladder, budget=budget), highlight=False)


def foresights_of(found: Calibrated) -> list[Foresight]:
    """What each rung says of longer runs in wider networks; empty if nobody asked."""
    from evaluators.statistics.fair_calibration import foresights

    return [] if found.dear is None else foresights(found.whole, found.dear)


def _tasks(text: str, schedule: str) -> dict[str, Task]:
    """The named tasks, under the schedule if there is one.

    Raises:
        typer.BadParameter: If there is no such schedule.
    """
    from evaluators.recipes.recipe import Schedule
    from evaluators.tasks import find_task

    known = get_args(Schedule)
    if schedule and schedule not in known:
        raise typer.BadParameter(f"no schedule {schedule!r}; there are {', '.join(known)}")
    tasks = {name: find_task(name) for name in text.split(",")}
    if not schedule:
        return tasks
    return {
        name: replace(task, recipe=replace(task.recipe, schedule=cast(Schedule, schedule)))
        for name, task in tasks.items()
    }


def _rates(text: str) -> tuple[float, ...]:
    """Learning rates from an option.

    Raises:
        typer.BadParameter: If they are none.
    """
    try:
        rates = tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        rates = (0.0,)
    if list(rates) != sorted(set(rates)) or not all(0.0 < rate < 1e3 for rate in rates):
        raise typer.BadParameter(f"expected ascending rates such as 0.002,0.004, got {text!r}")
    return rates


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
    task: str, found: Calibrated, qualities: list[RungQuality], ladder: Ladder
) -> dict[str, Any]:
    return {
        "task": task,
        "functions": list(found.names),
        "scores": found.whole.scores.tolist(),
        "accuracies": found.whole.accuracies.tolist(),
        "rungs": [asdict(quality) for quality in qualities],
        "recommended": asdict(ladder),
        "by_task": {name: scores.scores.tolist() for name, scores in found.by_task.items()},
        "rates": {name: [asdict(each) for each in known] for name, known in found.rates.items()},
        "recall": [asdict(each) for each in foresights_of(found)],
    }


def _rates_table(qualities: Sequence[RateQuality]) -> Table:
    from evaluators.statistics.fair_calibration import field_rate

    best = field_rate(qualities)
    return (
        ("rate", "better half loses", "Spearman with own rates", "own best of", ""),
        *(
            (
                f"{quality.rate:g}",
                f"{quality.loss:.3f}",
                f"{quality.spearman:.2f}",
                f"{100 * quality.share_best:.0f} %",
                "the field's best" if quality.rate == best else "",
            )
            for quality in qualities
        ),
    )


def _foresight_table(foresights: Sequence[Foresight]) -> Table:
    return (
        ("steps", "Spearman", "best tenth there in best quarter here"),
        *(
            (f"{each.steps:,}", f"{each.spearman:.2f}", f"{100 * each.top_recall:.0f} %")
            for each in foresights
        ),
    )


def _rungs_table(qualities: Sequence[RungQuality]) -> Table:
    return (
        (
            "steps",
            "noise of score",
            "noise of accuracy",
            "reliability of score",
            "of accuracy",
            "Spearman with last",
            "best tenth in best quarter",
        ),
        *(
            (
                f"{quality.steps:,}",
                f"{quality.score_noise:.3f}",
                f"{100 * quality.accuracy_noise:.2f} points",
                f"{quality.score_reliability:.3f}",
                f"{quality.accuracy_reliability:.3f}",
                f"{quality.spearman:.2f}",
                f"{100 * quality.top_recall:.0f} %",
            )
            for quality in qualities
        ),
    )


def _advice(ladder: Ladder, *, budget: float) -> str:
    rungs = ", ".join(f"{{ steps = {steps} }}" for steps in ladder.steps)
    return (
        f"For {budget:,.0f} steps a candidate:\n"
        f"  rungs = [{rungs}]\n"
        f"  reduction_factor = {max(ladder.reduction_factor, 1.5):g}\n"
        f"which costs {ladder.cost:,.0f} steps a candidate and trains "
        f"{100 * ladder.top_recall:.0f} % of the truly best tenth to the end."
    )
