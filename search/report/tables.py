"""The figures behind a report's pictures as tables, in the format that MLflow shows and loads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from grammars import BASELINES, shortened
from search.candidates.objectives import front_of, values_of
from search.candidates.racing import Standing
from search.finals import finals_rows
from search.report.findings import Findings

Table = list[Mapping[str, Any]]


MOST_RANKS: Final = 2_000
"""Of the leaderboard; published functions follow at whatever rank."""


def tables(found: Findings) -> dict[str, Table]:
    """Rows by the name of the table; a table without rows is left out."""
    made = {
        "leaderboard": [_standing(s, rank) for rank, s in leaders(found, MOST_RANKS)],
        "by-task": list(_by_task(found)),
        "watch": list(_watched(found)),
        "front": [_standing(s, rank) for rank, s in enumerate(front_of(found.standings), 1)],
        "diagnostics": list(_diagnostics(found)),
        "ablation": list(_ablation(found)),
        "finals": list(finals_rows(found.finals)) if found.finals else [],
        "finals-seeds": list(_finals_seeds(found)),
    }
    return {name: rows for name, rows in made.items() if rows}


def leaders(found: Findings, ranks: int) -> Iterator[tuple[int, Standing]]:
    """The first ranks of the search, and those later ones that every campaign scores."""
    for rank, standing in enumerate(found.standings, 1):
        if rank <= ranks or standing.candidate.variation in BASELINES:
            yield rank, standing


def table_json(rows: Table) -> str:
    """The rows as `mlflow.load_table` reads them: the columns once, then the data."""
    columns = list(rows[0])
    data = [[row[column] for column in columns] for row in rows]
    return json.dumps({"columns": columns, "data": data}, allow_nan=False) + "\n"


def _standing(standing: Standing, rank: int) -> Mapping[str, Any]:
    candidate, evaluation = standing.candidate, standing.evaluation
    return {
        "rank": rank,
        "candidate_id": candidate.id,
        "expression": candidate.readable,
        "origin": candidate.origin,
        "name": candidate.variation if candidate.origin == "baseline" else None,
        **values_of(standing),
        "validation_loss": evaluation.validation_loss,
        "validation_accuracy": evaluation.validation_accuracy,
        "steps": evaluation.fidelity.steps,
        "seeds": len(evaluation.fidelity.seeds),
        "generation": candidate.generation,
    }


def _by_task(found: Findings) -> Iterator[Mapping[str, Any]]:
    """One row for each of the best and of the baselines on each task; none for a single task."""
    for _, standing in leaders(found, MOST_RANKS):
        over = standing.evaluation.over_tasks
        for each in over.tasks if over else ():
            yield {
                "candidate_id": standing.candidate.id,
                "expression": standing.candidate.readable,
                "task": each.task,
                "advantage": each.advantage,
                "learning_rate": each.learning_rate,
                "score": each.score,
            }


def _watched(found: Findings) -> Iterator[Mapping[str, Any]]:
    """One row for each meeting on each watched task."""
    for summary in found.generations:
        if summary.watched is not None:
            for task, advantage in summary.watched.by_task.items():
                yield {
                    "generation": summary.generation,
                    "candidate_id": summary.best_id,
                    "expression": summary.best_expression,
                    "task": task,
                    "advantage": advantage,
                    "lead": summary.watched.lead,
                }


def _diagnostics(found: Findings) -> Iterable[Mapping[str, Any]]:
    for diagnosis in found.diagnoses:
        yield {
            "candidate_id": diagnosis.standing.candidate.id,
            "expression": diagnosis.standing.candidate.readable,
            "dead_units": diagnosis.dead_units,
            "saturated_units": diagnosis.saturated_units,
            "output_sparsity": diagnosis.output_sparsity,
            "mean_shift": diagnosis.mean_shift,
            "gradient_ratio": diagnosis.gradient_ratio,
            "runs": diagnosis.runs,
        }


def _finals_seeds(found: Findings) -> Iterable[Mapping[str, Any]]:
    """One row for each training run."""
    for card in found.finals.cards if found.finals else ():
        for row in card.rows:
            for run in row.runs:
                yield {
                    "task": card.stage.title,
                    "expression": row.entrant.shown,
                    "name": row.entrant.name,
                    "seed": run.seed,
                    "outcome": str(run.ended),
                    "test_accuracy": run.test_accuracy,
                    "test_loss": run.test_loss,
                    "validation_accuracy": run.curve[-1].validation_accuracy if run.curve else None,
                    "validation_loss": run.curve[-1].validation_loss if run.curve else None,
                    "seconds": run.seconds,
                }


def _ablation(found: Findings) -> Iterable[Mapping[str, Any]]:
    for ablation in found.ablations:
        for effect in ablation.effects:
            yield {
                "expression": shortened(str(ablation.expression)),
                "part": str(effect.variant.part),
                "stand_in": str(effect.variant.stand_in),
                "rest": shortened(str(effect.variant.expression)),
                "outcome": str(effect.outcome),
                "reason": effect.reason,
                "change": effect.change,
            }
