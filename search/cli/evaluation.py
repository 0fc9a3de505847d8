"""`actsearch evaluate`: scores expressions exactly as a campaign would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
    from evaluators.evaluation import Evaluation
    from evaluators.fidelity import Fidelity
    from grammars import Activation


def evaluate_command(
    expressions: Annotated[
        list[str],
        typer.Argument(
            help="Expressions or catalogue names; [f, g] for a function of its own in each layer.",
            metavar="EXPRESSION...",
        ),
    ],
    task: Annotated[str, typer.Option(help="What to train them on.")] = "mnist-mlp",
    steps: Annotated[int, typer.Option(min=1, max=1_000_000, help="Optimiser steps.")] = 1000,
    seeds: Annotated[int, typer.Option(min=1, max=1_000, help="Training runs of each.")] = 1,
    workers: Workers = None,
    manual_dir: ManualDir = None,
    as_json: AsJson = False,
) -> None:
    """Scores expressions or catalogue names exactly as a campaign would."""
    from evaluators.fidelity import Fidelity
    from grammars import parse_activation

    parsed = [parse_activation(text) for text in expressions]
    fidelity = Fidelity(steps, tuple(range(seeds)))
    records = score(
        parsed, fidelity, task=task, workers=worker_count(workers), manual_dir=manual_dir
    )
    rows = [evaluation_row(text, record) for text, record in zip(expressions, records, strict=True)]
    if as_json:
        print_json(rows)
    else:
        wide_console().print(_table(rows, title=f"{task}, {fidelity}"))


def score(
    expressions: list[Activation],
    fidelity: Fidelity,
    *,
    task: str,
    workers: int,
    manual_dir: Path | None,
) -> list[Evaluation]:
    """Probes and trains; equal expressions are trained once.

    Raises:
        LayersError: If an expression has more functions than the task's network has places for.
    """
    from evaluators.datasets import load
    from evaluators.tasks import find_task
    from grammars import activation_id, by_layer
    from search.executors import ProcessPool, Workload

    tried = find_task(task)
    for expression in expressions:
        by_layer(expression, tried.network.hidden_layers)
    dataset = load(tried.data, manual_dir=manual_dir, announce=say)
    workload = Workload(tried.on(dataset), highest=fidelity)
    distinct = {activation_id(expression): expression for expression in expressions}
    records = {
        identity: rejection
        for identity, expression in distinct.items()
        if (rejection := workload.bench.rejection(expression, fidelity)) is not None
    }
    trainable = [expression for i, expression in distinct.items() if i not in records]
    with ProcessPool(
        workload, workers=min(workers, max(1, len(trainable))), batch=32, timeout_seconds=600.0
    ) as executor:
        never = threading.Event()
        for batch in executor.evaluate(trainable, fidelity, stopping=never):
            records.update((record.candidate_id, record) for record in batch)
    return [records[activation_id(expression)] for expression in expressions]


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


def _table(rows: list[dict[str, Any]], *, title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("expression", overflow="fold")
    for heading in ("outcome", "score", "loss", "accuracy", "cost", "seconds"):
        table.add_column(heading, justify="left" if heading == "outcome" else "right")
    for row in sorted(rows, key=lambda row: -(row["score"] or float("-inf"))):
        table.add_row(row["expression"], *_cells(row))
    return table


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
