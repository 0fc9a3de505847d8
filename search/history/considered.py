"""Everything that a campaign has considered, one row a candidate, with what became of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from search.history.fold import CandidateRecord

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

CandidateRow = Mapping[str, Any]


def candidate_rows(candidates: Iterable[CandidateRecord]) -> list[CandidateRow]:
    """One row a candidate, the fittest first, those without a fitness last."""
    return sorted(map(candidate_row, candidates), key=_fittest_first)


def candidate_row(record: CandidateRecord) -> CandidateRow:
    """A candidate with what came of its last evaluation; None for what there is not.

    Its fitness is higher for better ones, and compares those of one rung.
    """
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


def _fittest_first(row: CandidateRow) -> tuple[bool, float, str]:
    fitness = row["fitness"]
    return fitness is None, -(fitness or 0.0), row["candidate_id"]
