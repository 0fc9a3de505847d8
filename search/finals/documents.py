"""Finals as one JSON document: what `--json` prints and `finals.json` holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from search.finals.entrant_results import EntrantResults
from search.finals.results import Card, Finals
from search.finals.wording import claim, opened, orders, tried, where_it_holds
from search.texts.writing import write_whole

FILE_NAME: Final = "finals.json"


def finals_document(finals: Finals) -> dict[str, Any]:
    """All that finals came to, each figure with the runs that it is computed from."""
    plan = finals.plan
    leader = finals.leader
    return {
        "number": plan.number,
        "claim": claim(finals),
        "leader": None if leader is None else leader.candidate_id,
        "tried": {**plan.tried, "words": tried(finals)},
        "opened": opened(finals),
        "openings": [asdict(opening) for opening in finals.openings],
        "ended": finals.ended,
        "protocol": {
            "measure": plan.measure.name,
            "unit": plan.measure.unit,
            "gate": None if leader is None or not plan.measure.has_gate else leader.candidate_id,
            "rule": plan.rule,
            "rivals": list(plan.rivals),
            "error_rate": plan.error_rate,
            "interval": "paired t, at the level that the p value beside it is held to",
            "correction": "Holm, over all distinct pairs of a function and a rival of a stage; "
            "with a gate, over its own pairs first, then over the others once it has passed",
            "choices": plan.choices,
            "half_width_points": plan.half_width_points,
            "first_seed": plan.first_seed,
            "minutes": plan.minutes,
        },
        "transfer": {
            entrant.candidate_id: where_it_holds(finals, entrant) for entrant in plan.finalists
        },
        "orders": {**finals.orders, "words": orders(finals)} if finals.orders else {},
        "left_out": [{"task": task, "reason": reason} for task, reason in plan.left_out],
        "cards": [_card(card) for card in finals.cards],
    }


def finals_rows(finals: Finals) -> Iterator[Mapping[str, Any]]:
    """One row for each function on each task."""
    for card in finals.cards:
        for row in card.rows:
            identity = row.entrant.candidate_id
            yield {
                "task": card.stage.title,
                "candidate_id": identity,
                "expression": row.entrant.shown,
                "name": row.entrant.name,
                "role": row.entrant.role,
                "steps": card.stage.steps,
                "seeds": len(row.runs),
                "mean_percent": row.mean_percent,
                "deviation_points": row.deviation_points,
                **_differences(card, identity, finals.plan.rivals),
                "verdict": card.verdict(identity),
            }


def _differences(card: Card, identity: str, rivals: Sequence[str]) -> Mapping[str, float | None]:
    """What `finals` says of each rival; nothing of a rival's difference from itself."""
    row: dict[str, float | None] = {}
    for rival in rivals:
        pair = card.comparison(identity, rival)
        row |= {
            f"difference_{rival}": pair.difference if pair else None,
            f"low_{rival}": pair.low if pair else None,
            f"high_{rival}": pair.high if pair else None,
            f"p_{rival}": pair.p_adjusted if pair else None,
            f"effect_size_{rival}": pair.effect_size if pair else None,
        }
    return row


def finals_text(finals: Finals) -> str:
    """The document as JSON, on one line: an hour's campaign has a megabyte and a half of runs."""
    return json.dumps(finals_document(finals), ensure_ascii=False, allow_nan=False)


def write_finals(finals: Finals, folder: Path) -> None:
    """Writes `finals.json`, whole or not at all."""
    write_whole(folder / FILE_NAME, f"{finals_text(finals)}\n")


def _card(card: Card) -> dict[str, Any]:
    stage = asdict(card.stage)
    del stage["entrants"]
    return {
        **stage,
        "state": card.state,
        "reason": card.reason,
        "seeds": list(card.seeds),
        "looks_held": [asdict(look) for look in card.looks],
        "functions": [_function(card, row) for row in card.rows],
    }


def _function(card: Card, row: EntrantResults) -> dict[str, Any]:
    entrant = row.entrant
    return {
        "candidate_id": entrant.candidate_id,
        "expression": entrant.expression,
        "name": entrant.name,
        "role": entrant.role,
        "rank": entrant.rank,
        "test_loss": row.test_loss,
        "mean_percent": row.mean_percent,
        "deviation_points": row.deviation_points,
        "validation_percent": row.validation_percent,
        "validation_loss": row.validation_loss,
        "diverged": row.diverged,
        "failed": row.failed,
        "seconds": row.seconds,
        "verdict": card.verdict(entrant.candidate_id),
        "comparisons": [asdict(each) for each in card.comparisons_of(entrant.candidate_id)],
        "accuracy_comparisons": [
            asdict(each) for each in card.beside if each.function == entrant.key
        ],
        "runs": [
            {
                "seed": run.seed,
                "outcome": run.ended,
                "test_accuracy": run.test_accuracy,
                "test_loss": run.test_loss,
                "curve": [asdict(point) for point in run.curve],
            }
            for run in row.runs
        ],
    }
