"""`actsearch evaluate`: scores expressions exactly as a campaign would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

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
)
from search.cli.tables import Column, print_columns

if TYPE_CHECKING:
    from evaluators.evaluation.evaluation import Evaluation

# What follows the outcome, with its turn to be left out; 0 stays.
_NUMBERS: Final = {"score": 0, "loss": 4, "accuracy": 3, "cost": 2, "seconds": 1}


def evaluate_command(
    expressions: Annotated[
        list[str],
        typer.Argument(
            help="Expressions or catalogue names; [f, g] for a function of its own in each layer.",
            metavar="EXPRESSION",
        ),
    ],
    task: Annotated[str, typer.Option(help="What to train them on.")] = "mnist-mlp",
    steps: Annotated[int, typer.Option(min=1, max=1_000_000, help="Optimiser steps.")] = 1000,
    seeds: Annotated[int, typer.Option(min=1, max=1_000, help="Training runs of each.")] = 1,
    workers: Workers = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    manual_dir: ManualDir = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Scores expressions or catalogue names exactly as a campaign would."""
    from evaluators.evaluation.fidelity import Fidelity
    from evaluators.tasks import find_task
    from grammars import parse_activation
    from search.trials.protocol import score

    parsed = [parse_activation(text) for text in expressions]
    fidelity = Fidelity(steps, tuple(range(seeds)))
    site = site_of(
        manual_dir=manual_dir, workers=workers, executor=executor, gpus_per_worker=gpus_per_worker
    )
    records = score(parsed, fidelity, task=find_task(task), site=site)
    rows = [evaluation_row(text, record) for text, record in zip(expressions, records, strict=True)]
    if as_json:
        print_json(rows)
    elif as_csv:
        nested = ("per_seed", "diagnostics")
        print_csv([{k: v for k, v in row.items() if k not in nested} for row in rows])
    else:
        print_columns(_columns(rows), title=f"{task}, {fidelity}")


def evaluation_row(text: str, record: Evaluation) -> dict[str, Any]:
    """A record as `--json` shows it."""
    return {
        "expression": text,
        "canonical": record.canonical,
        "candidate_id": record.candidate_id,
        "outcome": record.outcome.value,
        "reason": record.reason,
        "score": record.score,
        "validation_loss": record.validation_loss,
        "validation_accuracy": record.validation_accuracy,
        "per_seed": record.to_json()["per_seed"],
        "diagnostics": record.to_json()["diagnostics"],
        "relative_cost": record.relative_cost,
        "seconds": record.seconds,
        "task": record.task,
        "dataset": record.dataset,
        "steps": record.fidelity.steps,
        "seeds": len(record.fidelity.seeds),
    }


def _columns(rows: list[dict[str, Any]]) -> list[Column]:
    ordered = sorted(rows, key=lambda row: -(row["score"] or float("-inf")))
    outcomes, *numbers = zip(*map(_cells, ordered), strict=True)
    return [
        Column("expression", tuple(row["expression"] for row in ordered), "anywhere"),
        Column("outcome", outcomes, "anywhere"),
        *(
            Column(heading, cells, leaves=leaves, is_right=True)
            for (heading, leaves), cells in zip(_NUMBERS.items(), numbers, strict=True)
        ),
    ]


def _cells(row: dict[str, Any]) -> Iterator[str]:
    yield row["outcome"] if row["reason"] is None else f"{row['outcome']}: {row['reason']}"
    if row["score"] is None:
        yield from [""] * 5
        return
    yield f"{row['score']:.4f}"
    yield f"{row['validation_loss']:.4f}"
    yield f"{100 * row['validation_accuracy']:.2f} %"
    yield "" if row["relative_cost"] is None else f"{row['relative_cost']:.2f}"
    yield f"{row['seconds']:.1f}"
