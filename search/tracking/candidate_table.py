"""The table of every candidate, as rows, as the JSON of an MLflow table, and as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from search.history import CandidateRecord

# Those that are one figure; what has one for each layer is in the candidates' runs.
DIAGNOSTICS: Final = ("dead_units", "saturated_units", "output_sparsity", "gradient_ratio")

COLUMNS: Final = (
    "candidate_id",
    "expression",
    "canonical",
    "size",
    "depth",
    "origin",
    "variation",
    "generation",
    "parents",
    "outcome",
    "reason",
    "rung",
    "steps",
    "seeds",
    "validation_loss",
    "validation_accuracy",
    "relative_cost",
    *DIAGNOSTICS,
    "seconds",
    "fitness",
)

TableRow = Mapping[str, Any]


def candidate_rows(candidates: Iterable[CandidateRecord]) -> list[TableRow]:
    """One row a candidate, the fittest first, those without a fitness last.

    What was measured is that of the candidate's last evaluation, None where there is none.
    """
    rows = [_row(candidate) for candidate in candidates]
    return sorted(rows, key=_fittest_first)


def table_json(rows: Iterable[TableRow]) -> str:
    """The rows in the format of `mlflow.log_table`, which can only append to what is there."""
    data = [[row[column] for column in COLUMNS] for row in rows]
    return json.dumps({"columns": list(COLUMNS), "data": data}, allow_nan=False)


def table_csv(rows: Iterable[TableRow]) -> str:
    """The rows as CSV with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(record: CandidateRecord) -> TableRow:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    candidate, introduced = record.candidate, record.introduced
    row.update(
        candidate_id=candidate.id,
        expression=candidate.text,
        canonical=introduced.canonical,
        size=introduced.size,
        depth=introduced.depth,
        origin=candidate.origin,
        variation=candidate.variation,
        generation=candidate.generation,
        parents=" ".join(candidate.parents),
    )
    if record.rungs:
        last = record.rungs[-1]
        evaluation = last.evaluation
        row.update(
            outcome=str(evaluation.outcome),
            reason=evaluation.reason,
            rung=last.rung,
            steps=evaluation.fidelity.steps,
            seeds=len(evaluation.fidelity.seeds),
            validation_loss=evaluation.validation_loss,
            validation_accuracy=evaluation.validation_accuracy,
            relative_cost=evaluation.relative_cost,
            seconds=evaluation.seconds,
            fitness=evaluation.score,
        )
        if evaluation.diagnostics is not None:
            measured = {name: getattr(evaluation.diagnostics, name) for name in DIAGNOSTICS}
            row.update((n, value) for n, value in measured.items() if math.isfinite(value))
    return row


def _fittest_first(row: TableRow) -> tuple[bool, float, str]:
    fitness = row["fitness"]
    return fitness is None, -(fitness or 0.0), row["candidate_id"]
