"""The numbers of a campaign as MLflow takes them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from evaluators.evaluation.diagnostics import Diagnostics
from evaluators.evaluation.evaluation import OverTasks
from search.candidates.objectives import OBJECTIVES
from search.candidates.racing import Standing
from search.history import CandidateRecord, GenerationRecord, RungRecord
from search.tracking import names


def metrics_at(values: Mapping[str, Any], *, step: int, time: float) -> Iterator[Any]:
    """Figures as MLflow takes them, those that are None left out."""
    from mlflow.entities import Metric

    for key, value in present(values):
        yield Metric(key, float(value), milliseconds(time), step)


def milliseconds(seconds: float) -> int:
    """A time as MLflow takes it."""
    return round(seconds * 1000)


def generation_metrics(record: GenerationRecord) -> Iterator[Any]:
    derived = {
        "evaluations": record.evaluations,
        "evaluations_per_second": record.evaluations_per_second,
    }
    values = {**record.summary.to_json(), **derived}
    known = {key: values.get(key) for key in names.GENERATION_METRICS}
    known |= {f"{names.RIVAL_PREFIX}{name}": score for name, score in record.rivals.items()}
    rates = record.summary.rates.items()
    known |= {f"{names.RATE_PREFIX}{name}": rate for name, rate in rates}
    if (watched := record.summary.watched) is not None:
        known["watch_lead"] = watched.lead
        known |= {
            f"{names.WATCH_PREFIX}{names.as_name(task)}": advantage
            for task, advantage in watched.by_task.items()
        }
    return metrics_at(known, step=record.summary.generation, time=record.time)


def candidate_metrics(record: CandidateRecord) -> Iterator[Any]:
    """Loss and accuracy first, which is where the UI's page of a run shows them."""
    for rung in record.rungs:
        yield from metrics_at(_short(_rung_values(rung)), step=rung.rung, time=rung.time)
    shape = {"size": record.introduced.size, "depth": record.introduced.depth}
    yield from metrics_at(_short({**_untrained(record), **shape}), step=0, time=record.time)


def _short(values: Mapping[str, float | None]) -> dict[str, float]:
    """Four digits, since MLflow's UI shows all that there are; the journal keeps the others."""
    return {key: float(f"{value:.4g}") for key, value in present(values)}


def _untrained(record: CandidateRecord) -> dict[str, float]:
    """The objectives that no training measures; nothing of what was never evaluated."""
    if not record.rungs:
        return {}
    first = record.rungs[0]
    standing = Standing(record.candidate, first.rung, first.evaluation)
    wanted = (row for row in OBJECTIVES.values() if not row.is_trained)
    return {row.name: row.value(standing) for row in wanted}


def _rung_values(record: RungRecord) -> dict[str, float | None]:
    evaluation = record.evaluation
    return {
        "validation_loss": evaluation.validation_loss,
        "validation_accuracy": evaluation.validation_accuracy,
        names.FITNESS: evaluation.score,
        "relative_cost": evaluation.relative_cost,
        **_diagnostic_values(evaluation.diagnostics),
        "seconds": evaluation.seconds,
        "rung": record.rung,
        "steps": evaluation.fidelity.steps,
        "seeds": len(evaluation.fidelity.seeds),
        **_task_values(evaluation.over_tasks),
    }


def _task_values(over_tasks: OverTasks | None) -> dict[str, float | None]:
    return {
        f"{prefix}{names.as_name(each.task)}": value
        for each in (over_tasks.tasks if over_tasks else ())
        for prefix, value in (
            (names.ADVANTAGE_PREFIX, each.advantage),
            (names.SCORE_PREFIX, each.score),
            (names.RATE_OF_TASK_PREFIX, each.learning_rate),
        )
    }


def _diagnostic_values(diagnostics: Diagnostics | None) -> dict[str, float]:
    if diagnostics is None:
        return {}
    shares = ("dead_units", "saturated_units", "output_sparsity")
    by_layer = {
        f"{name}_{layer}": value
        for name, values in (
            ("mean_output", diagnostics.mean_output),
            ("gradient_norm", diagnostics.gradient_norms),
        )
        for layer, value in enumerate(values, 1)
    }
    return {name: getattr(diagnostics, name) for name in shares} | by_layer | _ratio(diagnostics)


def _ratio(diagnostics: Diagnostics) -> dict[str, float]:
    """Nothing where the last layer has no gradient: MLflow would turn infinity into a number."""
    ratio = diagnostics.gradient_ratio
    return {"gradient_ratio": ratio} if math.isfinite(ratio) else {}


def present(values: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in (values or {}).items() if value is not None)
