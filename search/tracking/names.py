"""Every name under which something is written to MLflow, so that queries and saved views last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from search.candidates.objectives import OBJECTIVES
from search.history import TITLES

# One metric for each mutation, such as "rate.hoisting".
RATE_PREFIX: Final = "rate."

WATCH_PREFIX: Final = "watch."

# A line beside the best, such as "best_score.relu".
RIVAL_PREFIX: Final = "best_score."

# Metrics of the campaign's run; the step is the generation.
GENERATION_METRICS: Final[Mapping[str, str]] = {
    "best_score": "highest score of the campaign so far",
    **{
        f"{RIVAL_PREFIX}{rival}": f"score of {title} on the rung of the best so far"
        for rival, title in TITLES.items()
    },
    "median_score": "median score of the generation",
    "spread": "spread of the scores in the generation",
    "considered": "expressions that the strategy proposed",
    "distinct": "expressions among them that were new functions",
    "duplicates": "expressions that equal an earlier function",
    "rejected": "candidates refused before training, by a probe, a requirement or a forecast",
    "trained": "candidates that were trained",
    "promoted": "candidates that climbed beyond the first rung",
    "diversity": "mean structural distance within the population, 0 to 1",
    "forecast_considered": "functions whose score the strategy's model expected",
    "forecast_correlation": "rank correlation of what it expected with what came, -1 to 1",
    "evaluations": "trainings of the campaign so far, all rungs together",
    "evaluations_per_second": "trainings a second of wall time in this generation",
    "watch_lead": "how far the leader leads on watched tasks, the mean of the metrics below",
    f"{WATCH_PREFIX}TASK": "its advantage over the best baseline on that watched task, in spreads",
    f"{RATE_PREFIX}MUTATION": "probability of that mutation from now on",
}

# By task, where a campaign has several tasks or learning rates; see `as_name`.
ADVANTAGE_PREFIX: Final = "advantage."
SCORE_PREFIX: Final = "score."
RATE_OF_TASK_PREFIX: Final = "learning_rate."

# Metrics of a candidate's run; the step is the rung, so the highest rung is what the UI sorts by.
FITNESS: Final = "fitness"
CANDIDATE_METRICS: Final[Mapping[str, str]] = {
    "validation_loss": "mean over the seeds of the loss on the validation split: cross-entropy in "
    "nats, or what the task has in its place; of several tasks the first's",
    "validation_accuracy": "mean over the seeds of the share of validation examples classified "
    "rightly, or of the variance explained, 0 to 1; of several tasks the first's",
    FITNESS: "score, higher is better: minus the mean log validation loss, or over several tasks "
    "the aggregate of the advantages",
    f"{ADVANTAGE_PREFIX}TASK": "over the best baseline on that task, in spreads of the baselines",
    f"{SCORE_PREFIX}TASK": "minus the mean log validation loss on that task, at its best rate if "
    "it has one",
    f"{RATE_OF_TASK_PREFIX}TASK": "the candidate's best learning rate on that task; absent where "
    "the task's is the only one",
    "relative_cost": "time of f with f' in units of ReLU's, measured on the last rung",
    "dead_units": "share of hidden units without any gradient on the validation split",
    "saturated_units": "share that is alive, but nearly flat on 95 % of the validation split",
    "output_sparsity": "share of hidden outputs within 0.001 of 0",
    "mean_output_LAYER": "mean output of hidden layer LAYER, counted from 1",
    "gradient_norm_LAYER": "norm of the loss's gradient by the weights of layer LAYER",
    "gradient_ratio": "first layer's gradient norm over the last's",
    "seconds": "wall time of the training at that rung, its share of compiling included",
    "rung": "0 for the first fidelity",
    "steps": "optimiser steps of each training run at that rung",
    "seeds": "training runs at that rung",
    **{name: row.meaning for name, row in OBJECTIVES.items() if not row.is_trained},
    "depth": "edges from its root to its deepest leaf",
}

CANDIDATE_PARAMS: Final[Mapping[str, str]] = {
    "function": "the formula as every report prints it",
    "expression": "as the strategy wrote it",
    "canonical": "in canonical form",
}

# Tags that experiments are found by, in whatever store and under whatever name.
IDENTITY: Final = "actsearch.campaign"
PART: Final = "actsearch.part"

SHARED_VIEW: Final = "mlflow.sharedViewState."

EXPERIMENT_TAGS: Final[Mapping[str, str]] = {
    IDENTITY: "checksum of the journal's first event: another one for each campaign",
    PART: "'campaign', 'candidates' or 'finals'",
}

# Tags that runs are found by.
KIND: Final = "kind"
CAMPAIGN: Final = "campaign"
CANDIDATE_ID: Final = "candidate_id"
# Tags that say how much of a run has been written; set last, they make a repetition harmless.
EVALUATIONS_WRITTEN: Final = "evaluations_written"
GENERATIONS_WRITTEN: Final = "generations_written"
FINALS_WRITTEN: Final = "finals_written"

CAMPAIGN_TAGS: Final[Mapping[str, str]] = {
    KIND: "'campaign'",
    CAMPAIGN: "name of the campaign",
    "state": "'running', 'interrupted' or 'finished'",
    "finish_reason": "which limit ended the campaign",
    "trained_on": "the task, with the data set that took the place of an unavailable one",
    "dataset": "data set that was really used",
    "dataset_source": "where it came from",
    "fallback_for": "data set that it stands in for; absent where there was no fallback",
    "best_id": "candidate with the best score",
    "best_expression": "its expression",
    "version.PACKAGE": "version of each package that takes part",
    "description": "the campaign file's own words",
    "stop.LIMIT": "limits of the campaign; tags, not params, because a budget may be extended",
    "tracking.SETTING": "what is mirrored; a tag, since another launch may mirror more",
    "finals.SETTING": "settings of the finals; tags, since other finals may follow",
    "polish.SETTING": "how the best are polished; a tag, since another launch may polish more",
    GENERATIONS_WRITTEN: "generations whose metrics are complete",
}

CANDIDATE_TAGS: Final[Mapping[str, str]] = {
    KIND: "'candidate'",
    CAMPAIGN: "name of the campaign",
    CANDIDATE_ID: "the expression id",
    "origin": "'discovered' or 'baseline'",
    "variation": "what made it; the catalogue name of a baseline",
    "generation": "in which it was first considered",
    "parents": "ids of the candidates it was made from, separated by spaces",
    "outcome": "of the last evaluation: 'scored', 'rejected', 'diverged' or 'failed'",
    "reason": "why the last evaluation was not scored",
    EVALUATIONS_WRITTEN: "evaluations whose metrics are complete",
}

# Finals: a parent run, and below it a run for each function and task.
FINALS: Final = "finals"
FINALS_JSON: Final = "finals.json"

FINALS_TAGS: Final[Mapping[str, str]] = {
    KIND: "'finals'",
    CAMPAIGN: "name of the campaign",
    FINALS: "number of the finals in their campaign, counted from 1",
    "claim": "what may be claimed, in words",
    "opened": "how often test data were opened in this campaign",
    "leader_id": "finalist with the lowest validation loss on the fresh seeds",
    FINALS_WRITTEN: "'true' once everything below is complete",
}

FINALS_FUNCTION_TAGS: Final[Mapping[str, str]] = {
    KIND: "'finals_function'",
    CAMPAIGN: "name of the campaign",
    FINALS: "number of the finals in their campaign, counted from 1",
    CANDIDATE_ID: "the expression id",
    "task": "on which it was trained, a learning rate of its own after an @",
    "dataset": "data set that was really used",
    "role": "'finalist' or 'baseline'",
    "verdict": "what may be said of the function on this task, in words",
}

# Of each rival: those that every function meets, and those of `finals.against`.
DIFFERENCE_PREFIX: Final = "difference_"
P_PREFIX: Final = "p_"

FINALS_FUNCTION_METRICS: Final[Mapping[str, str]] = {
    "test_accuracy": "share of the test split classified rightly, or of its variance explained, 0 "
    "to 1, by seed",
    "test_loss": "mean loss on the test split, cross-entropy in nats or what the task has in its "
    "place, by seed",
    "validation_accuracy": "the same share of the validation split, by seed",
    "validation_loss": "the same loss on the validation split, by seed",
    "log_test_loss": "mean logarithm of the test loss",
    "mean_percent": "mean test accuracy in per cent",
    "deviation_points": "its standard deviation over the seeds",
    "diverged": "seeds on which training diverged",
    f"{DIFFERENCE_PREFIX}RIVAL": "mean paired difference from a rival, positive where better; "
    "RIVAL is its name in the catalogue, such as `relu`, or else its id",
    f"{P_PREFIX}RIVAL": "p value of the comparison with that rival, Holm's correction included",
}

FINALS_FUNCTION_PARAMS: Final[Mapping[str, str]] = {
    "expression": "in canonical form",
    "steps": "optimiser steps of each training run",
    "learning_rate": "the function's own on this task, where each has its own",
}

# Artifacts of the campaign's run.
CAMPAIGN_FILE: Final = "campaign.toml"
TABLE_JSON: Final = "candidates.json"
TABLE_CSV: Final = "candidates.csv"
FUNCTIONS_PICTURE: Final = "pictures/best-function.png"
PROGRESS_PICTURE: Final = "pictures/progress.png"
CURVES: Final = "pictures/curves"
REPORT: Final = "report"
REPORT_PAGE: Final = f"{REPORT}/index.html"
REPORT_TABLES: Final = "tables"
# Which files of a report are mirrored: a pattern for each folder of it.
REPORT_FILES: Final[Mapping[str, str]] = {
    "": "index.html",
    "figures": "*.[ps][nv]g",
    REPORT_TABLES: "*.json",
}
ARTIFACTS: Final[Mapping[str, str]] = {
    CAMPAIGN_FILE: "the campaign file as it was launched",
    TABLE_JSON: "every candidate, as a table that the UI shows and `mlflow.load_table` reads",
    TABLE_CSV: "the same table for everything else",
    FUNCTIONS_PICTURE: "the best function and its derivative beside ReLU",
    PROGRESS_PICTURE: "best and median score by generation",
}
CURVES_ARTIFACTS: Final[Mapping[str, str]] = {
    f"{CURVES}/generation-NUMBER.svg": "the candidates of a generation that have runs, with f and "
    "f' beside ReLU's; their descriptions show them",
}
REPORT_ARTIFACTS: Final[Mapping[str, str]] = {
    REPORT_PAGE: "the report: open it first",
    f"{REPORT}/figures/*": "its figures as PNG and SVG",
    f"{REPORT}/{REPORT_TABLES}/*.json": "the tables behind it, which the UI shows as well",
}


def candidates_experiment(campaign: str) -> str:
    """Name of the experiment that holds the candidates of a campaign as runs."""
    return f"{campaign}/candidates"


def finals_experiment(campaign: str) -> str:
    """Name of the experiment that holds the finals of a campaign."""
    return f"{campaign}/finals"


def curves_picture(generation: int) -> str:
    """Path of the artifact that shows the candidates of a generation."""
    return f"{CURVES}/generation-{generation:04d}.svg"


def model_name(number: int, candidate_id: str) -> str:
    """Name of the logged model of a finalist."""
    return f"finals-{number}-{candidate_id[:8]}"


def as_name(text: str) -> str:
    """A text as part of a metric's name: what MLflow does not allow there becomes a dash."""
    return re.sub(r"[^A-Za-z0-9_./ -]", "-", text)
