"""The figures behind a report's pictures as tables, in the format that MLflow shows and loads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from search.racing import Standing
from search.report.figures import cost_of, front_of
from search.report.findings import Findings

Table = list[Mapping[str, Any]]


def tables(found: Findings) -> dict[str, Table]:
    """Rows by the name of the table; a table without rows is left out."""
    made = {
        "leaderboard": [_standing(s, rank) for rank, s in enumerate(found.standings, 1)],
        "front": [_standing(s, rank) for rank, s in enumerate(front_of(found), 1)],
        "diagnostics": list(_diagnostics(found)),
        "ablation": list(_ablation(found)),
    }
    return {name: rows for name, rows in made.items() if rows}


def table_json(rows: Table) -> str:
    """The rows as `mlflow.load_table` reads them: the columns once, then the data."""
    columns = list(rows[0])
    data = [[row[column] for column in columns] for row in rows]
    return json.dumps({"columns": columns, "data": data}, allow_nan=False) + "\n"


def _standing(standing: Standing, rank: int) -> Mapping[str, Any]:
    candidate, evaluation = standing.candidate, standing.evaluation
    form = candidate.canonical
    return {
        "rank": rank,
        "candidate_id": candidate.id,
        "expression": str(form),
        "origin": candidate.origin,
        "name": candidate.variation if candidate.origin == "baseline" else None,
        "score": evaluation.score,
        "validation_loss": evaluation.validation_loss,
        "validation_accuracy": evaluation.validation_accuracy,
        "steps": evaluation.fidelity.steps,
        "seeds": len(evaluation.fidelity.seeds),
        "size": form.size,
        "cost": cost_of(candidate.expression),
        "generation": candidate.generation,
    }


def _diagnostics(found: Findings) -> Iterable[Mapping[str, Any]]:
    for diagnosis in found.diagnoses:
        yield {
            "candidate_id": diagnosis.standing.candidate.id,
            "expression": str(diagnosis.standing.candidate.canonical),
            "dead_units": diagnosis.dead_units,
            "saturated_units": diagnosis.saturated_units,
            "output_sparsity": diagnosis.output_sparsity,
            "mean_shift": diagnosis.mean_shift,
            "gradient_ratio": diagnosis.gradient_ratio,
            "runs": diagnosis.runs,
        }


def _ablation(found: Findings) -> Iterable[Mapping[str, Any]]:
    for ablation in found.ablations:
        for effect in ablation.effects:
            yield {
                "expression": str(ablation.expression),
                "part": str(effect.variant.part),
                "stand_in": str(effect.variant.stand_in),
                "rest": str(effect.variant.expression),
                "outcome": str(effect.outcome),
                "reason": effect.reason,
                "change": effect.change,
            }
