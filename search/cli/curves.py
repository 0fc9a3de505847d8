"""`actsearch curves`: learning curves of many functions, for campaigns to forecast from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.cli.calibration import ascending
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
    from collections.abc import Sequence

    from evaluators.forecasting.quality import ForecastQuality, ScreenedLadder
    from search.texts.tables import Table


def curves_command(
    name: Annotated[
        str,
        typer.Argument(
            help="A file that ends in .json, made if there is none; or the name of shipped ones.",
            metavar="CURVES",
        ),
    ],
    task: Annotated[str, typer.Option(help="What to train on.")] = "mnist-mlp",
    grammar: Annotated[str, typer.Option(help="Where functions are drawn from.")] = "core",
    functions: Annotated[
        int, typer.Option(min=20, max=100_000, help="How many, beside the catalogue's.")
    ] = 1200,
    steps: Annotated[
        str, typer.Option(help="Optimiser steps to score after, ascending.")
    ] = "50,100,200,400,800,1600",
    seed: Annotated[int, typer.Option(min=0, help="Of the draw, and of the training.")] = 0,
    recall: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Share of the best tenth that the ladder must keep.",
        ),
    ] = 0.95,
    workers: Workers = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    manual_dir: ManualDir = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Trains random functions, keeps their scores, and says what forecasts from them are worth."""
    from evaluators.forecasting.learning_curves import curve_names, load_curves
    from evaluators.forecasting.quality import CrossValidation
    from evaluators.tasks import find_task
    from grammars import load_grammar
    from search.texts.writing import write_whole
    from search.trials.protocol import draw_functions, train_on_every_rung

    rungs, file = ascending(steps), Path(name)
    if name not in curve_names() and file.suffix == ".json" and not file.exists():
        site = site_of(
            manual_dir=manual_dir,
            workers=workers,
            executor=executor,
            gpus_per_worker=gpus_per_worker,
        )
        drawn = draw_functions(load_grammar(grammar), functions, seed=seed)
        trained = train_on_every_rung(
            {str(each): each for each in drawn},
            rungs,
            task=find_task(task),
            seeds=(seed,),
            site=site,
        )
        write_whole(file, trained.learning_curves(seed=seed).to_json())
    curves = load_curves(name)
    validated = CrossValidation(curves)
    qualities, ladder = validated.qualities(), validated.recommend(least_recall=recall)
    if as_json:
        print_json(_document(qualities, ladder))
        return
    if as_csv:
        print_csv(_document(qualities, ladder)["forecasts"])
        return
    title = f"{curves.task}, {len(curves.expressions)} functions"
    print_figures(title, _forecasts_table(qualities))
    wide_console().print(_advice(ladder, name), highlight=False)


def _document(qualities: list[ForecastQuality], ladder: ScreenedLadder) -> dict[str, Any]:
    # JSON knows no NaN.
    rows = [{k: None if v != v else v for k, v in asdict(each).items()} for each in qualities]
    return {"forecasts": rows, "recommended": asdict(ladder)}


def _forecasts_table(qualities: Sequence[ForecastQuality]) -> Table:
    return (
        (
            "steps",
            "Spearman of score",
            "of forecast",
            "best tenth in best fifth by score",
            "by forecast",
        ),
        *(
            (
                f"{quality.steps:,}",
                f"{quality.score_spearman:.2f}" if quality.steps else "",
                f"{quality.spearman:.2f}",
                f"{100 * quality.score_recall:.0f} %" if quality.steps else "",
                f"{100 * quality.recall:.0f} %",
            )
            for quality in qualities
        ),
    )


def _advice(ladder: ScreenedLadder, name: str) -> str:
    rungs = ", ".join(f"{{ steps = {steps} }}" for steps in ladder.steps)
    # Nobody climbs from the only rung.
    factor = f"  reduction_factor = {ladder.reduction_factor:g}\n" if ladder.steps[1:] else ""
    return (
        f"Of the ladders that keep enough of the truly best tenth, the cheapest is\n"
        f"  forecast = {json.dumps(name, ensure_ascii=False)}\n"
        f"  screening = {ladder.screening:g}\n"
        f"  rungs = [{rungs}]\n"
        f"{factor}"
        f"which costs as much as {ladder.cost:,.0f} steps a candidate, compiling and validating "
        f"included, and trains {100 * ladder.recall:.0f} % of the truly best tenth to the end."
    )
