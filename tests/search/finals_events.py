"""Finals written into a journal, with scores drawn from a seeded generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evaluators.evaluation.diagnostics import Diagnostics
from evaluators.evaluation.evaluation import Outcome
from grammars import canonical, expression_id, parse
from search.finals import Entrant, Plan, Point, Run, Stage
from search.journal.journal import Kind

JournalEvent = tuple[Kind, str, Mapping[str, Any]]

SEEDS = 10
FIRST_SEED = 1_000
# What each function is worth on the own task, in points above the others; noise is 0.1.
MERITS = {"relu": -0.6, "swish": 0.0, "gelu": 0.1, "tanh": -1.5}


def finalist(text: str, rank: int) -> Entrant:
    expression = parse(text)
    return Entrant(
        candidate_id=expression_id(expression),
        expression=str(canonical(expression)),
        written=text,
        name=None,
        role="finalist",
        rank=rank,
    )


def baseline(name: str) -> Entrant:
    expression = parse(name)
    return Entrant(
        expression_id(expression),
        str(canonical(expression)),
        str(expression),
        name,
        "baseline",
        None,
    )


def stage(task: str, dataset: str, entrants: Sequence[Entrant], **changes: Any) -> Stage:
    fields: dict[str, Any] = {
        "task": task,
        "dataset": dataset,
        "classes": 10,
        "learning_rate": 0.001,
        "steps": 800,
        "looks": (SEEDS,),
        "checkpoints": (100, 200, 400, 800),
        "entrants": tuple(entrant.candidate_id for entrant in entrants),
        "purpose": "transfer",
    }
    return Stage(**(fields | changes))


def plan(finalists: Sequence[str], *, number: int = 1) -> Plan:
    entrants = [finalist(text, rank) for rank, text in enumerate(finalists, 1)]
    entrants += [baseline(name) for name in MERITS]
    return Plan(
        number=number,
        entrants=tuple(entrants),
        rivals=("relu", "swish", "gelu"),
        stages=(
            stage("digits-mlp", "digits", entrants, purpose="own"),
            stage("mnist1d-mlp", "mnist1d", entrants, checkpoints=(800,)),
            stage(
                "digits-mlp@0.003",
                "digits",
                entrants,
                learning_rate=0.003,
                checkpoints=(800,),
                purpose="recipe",
            ),
        ),
        first_seed=FIRST_SEED,
        half_width_points=0.2,
        error_rate=0.05,
        minutes=10.0,
        tried={"considered": 40, "distinct": 30, "rejected": 5, "trained": 25, "promoted": 6},
        left_out=(("mnist-cnn", "its data cannot be had"),),
    )


def finals_events(plan: Plan, *, is_scored: bool = True) -> Iterator[JournalEvent]:
    """All events of finals; without their end and the test data if they are not scored."""
    yield "finals_plan", f"{plan.number:06d}", plan.to_json()
    for stage in plan.stages:
        runs = list(_runs(plan, stage))
        yield from (("finals_run", run.key, run.to_json()) for run in runs)
        look = {
            "finals": plan.number,
            "task": stage.task,
            "seeds": SEEDS,
            "half_width_points": 0.15,
            "is_last": True,
            "decision": "every interval is narrow enough",
        }
        yield "finals_look", f"{plan.number}/{stage.task}/{SEEDS}", look
        if is_scored:
            opening = {"finals": plan.number, "dataset": stage.dataset, "runs": len(runs)}
            yield "test_opening", f"{plan.number}/{stage.dataset}", opening
            for run in runs:
                accuracy = run.curve[-1].validation_accuracy - 0.004
                scores = {
                    "outcome": "scored",
                    "reason": None,
                    "test_loss": 0.1,
                    "test_accuracy": accuracy,
                }
                yield "finals_score", run.key, scores
    if is_scored:
        ending = {"finals": plan.number, "reason": "all stages are done"}
        yield "finals_end", f"{plan.number:06d}", ending


def _runs(plan: Plan, stage: Stage) -> Iterator[Run]:
    random = np.random.default_rng(plan.number)
    luck = random.normal(0.0, 0.2, SEEDS)
    for place, entrant in enumerate(plan.entrants):
        merit = MERITS.get(entrant.name or "", 0.4 - 0.3 * place)
        if stage.purpose == "transfer":
            merit = -merit
        for number in range(SEEDS):
            percent = 97.0 + merit + luck[number] + random.normal(0.0, 0.1)
            yield Run(
                candidate_id=entrant.candidate_id,
                task=stage.task,
                dataset=stage.dataset,
                steps=stage.steps,
                seed=plan.first_seed + number,
                outcome=Outcome.SCORED,
                curve=tuple(_curve(stage, percent)),
                diagnostics=Diagnostics(0.01 * place, 0.02, 0.3, (0.1, -0.2), (0.5, 1.0)),
                seconds=1.5,
            )


def _curve(stage: Stage, percent: float) -> Iterator[Point]:
    for steps in stage.checkpoints:
        share = percent / 100.0 - 0.05 * (1.0 - steps / stage.steps)
        yield Point(steps, 4.0 * (1.0 - share), share)
