"""Writes finals to MLflow: a parent run, a child run for each function and task, and models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from grammars import Expression
from search.finals import (
    TITLES,
    Card,
    EntrantResults,
    Finals,
    Run,
    claim,
    finals_text,
    opened,
    tried,
    where_it_holds,
)
from search.texts.shortening import shorten
from search.tracking import names
from search.tracking.batches import every_run, log
from search.tracking.experiments import Experiments
from search.tracking.metrics import metrics_at, milliseconds
from search.tracking.models import log_model, model_code, register
from search.tracking.pages import EXPERIMENT_TAGS, MAX_RUN_NAME
from search.tracking.views import VIEW_TAG, finals_view

_PARENT = "mlflow.parentRunId"


Place = tuple[str, str, str]
"""Number of the finals, task and candidate; the parent run has no task and no candidate."""


class FinalsPages:
    """A campaign's finals in an open store; what is there is looked up, what is missing written."""

    def __init__(self, client: Any, experiments: Experiments, campaign: str) -> None:
        self._client = client
        self._campaign = campaign
        self._experiment = experiments.id_of(
            "finals",
            {**EXPERIMENT_TAGS, "mlflow.note.content": _describe_experiment(campaign)},
        )
        # Registered models of several campaigns stand side by side; their names hold no slash.
        self._registered = experiments.title.replace("/", "-").replace(":", "-")
        self._runs: dict[Place, str] = {}
        # Whether the last creation failed, or so it seems: the answer alone may have been lost.
        self._is_uncertain = False
        self._written: set[str] = set()
        self._find_runs()

    def writes(self, finals: Finals, *, begun: float, ended: float) -> Iterator[Callable[[], None]]:
        """Yields what is to be done to have ended finals in the store, in short steps.

        Args:
            finals: As the journal tells of them.
            begun: Seconds since the epoch at which they were planned.
            ended: At which they ended.
        """
        if str(finals.plan.number) in self._written:
            return
        yield partial(self._write_parent, finals, begun, ended)
        for card in finals.cards:
            for row in card.rows:
                if row.runs:
                    yield partial(self._write_function, finals, card, row, begun, ended)
        for entrant in finals.plan.finalists:
            if isinstance(entrant.activation, Expression):  # a model is a single function
                yield partial(self._write_model, finals, entrant.candidate_id)
        yield partial(self._finish, finals)

    def _write_parent(self, finals: Finals, begun: float, ended: float) -> None:
        number = str(finals.plan.number)
        tags = self._tags("finals", finals)
        run_id = self._run((number, "", ""), f"finals {number}", begun, tags)
        leader = finals.leader
        outcome = {
            "claim": claim(finals),
            "opened": opened(finals),
            "leader_id": leader.candidate_id if leader else None,
            "mlflow.note.content": _describe(finals),
        }
        figures = _summary(finals.own, finals.own.row(leader.candidate_id)) if leader else {}
        log(
            self._client,
            run_id,
            metrics=list(metrics_at(figures, step=0, time=ended)),
            tags=outcome,
        )
        self._client.log_text(run_id, finals_text(finals), names.FINALS_JSON)
        view = finals_view(finals.plan.number, finals.own.stage.task, finals.plan.measure)
        self._client.set_experiment_tag(self._experiment, VIEW_TAG, json.dumps(view))
        self._client.set_terminated(run_id, "FINISHED", milliseconds(ended))

    def _write_function(
        self, finals: Finals, card: Card, row: EntrantResults, begun: float, ended: float
    ) -> None:
        entrant, stage = row.entrant, card.stage
        place = (str(finals.plan.number), stage.task, entrant.candidate_id)
        tags = {
            **self._tags("finals_function", finals),
            _PARENT: self._runs[place[0], "", ""],
            names.CANDIDATE_ID: entrant.candidate_id,
            "task": stage.task,
            "dataset": stage.dataset,
            "role": entrant.role,
        }
        rate = stage.rate(entrant.candidate_id)
        rates = {} if rate is None else {"learning_rate": rate}
        name = shorten(f"{stage.title}: {entrant.label}", MAX_RUN_NAME)
        run_id = self._run(place, name, begun, tags)
        log(
            self._client,
            run_id,
            metrics=[
                *metrics_at(_summary(card, row), step=0, time=ended),
                *(
                    metric
                    for number, run in enumerate(row.runs)
                    for metric in metrics_at(_seed(run), step=number, time=ended)
                ),
            ],
            params={"expression": entrant.expression, "steps": stage.steps, **rates},
            tags={"verdict": card.verdict(entrant.candidate_id)},
        )
        self._client.set_terminated(run_id, "FINISHED", milliseconds(ended))

    def _write_model(self, finals: Finals, candidate_id: str) -> None:
        plan, run_id = finals.plan, self._runs[str(finals.plan.number), "", ""]
        entrant = plan.entrant(candidate_id)
        tags = {
            names.CAMPAIGN: self._campaign,
            names.CANDIDATE_ID: candidate_id,
            "verdict": finals.own.verdict(candidate_id),
        }
        model = log_model(
            self._client,
            self._experiment,
            run_id,
            name=names.model_name(plan.number, candidate_id),
            code=model_code(entrant.written, campaign=self._campaign),
            tags=tags,
        )
        if plan.register and finals.leader == entrant:
            register(self._client, model, name=self._registered, tags=tags)

    def _finish(self, finals: Finals) -> None:
        number = str(finals.plan.number)
        log(self._client, self._runs[number, "", ""], tags={names.FINALS_WRITTEN: "true"})
        self._written.add(number)

    def _tags(self, kind: str, finals: Finals) -> dict[str, str]:
        return {
            names.KIND: kind,
            names.CAMPAIGN: self._campaign,
            names.FINALS: str(finals.plan.number),
        }

    def _run(self, place: Place, name: str, begun: float, tags: Mapping[str, str]) -> str:
        """The run at a place, made where there is none."""
        if self._is_uncertain:
            self._find_runs()
        if place not in self._runs:
            self._is_uncertain = True
            run = self._client.create_run(
                self._experiment, start_time=milliseconds(begun), tags=dict(tags), run_name=name
            )
            self._runs[place] = str(run.info.run_id)
        self._is_uncertain = False
        return self._runs[place]

    def _find_runs(self) -> None:
        for run in every_run(self._client, self._experiment):
            tags = run.data.tags
            number = tags.get(names.FINALS, "")
            place = (number, tags.get("task", ""), tags.get(names.CANDIDATE_ID, ""))
            self._runs[place] = str(run.info.run_id)
            if tags.get(names.FINALS_WRITTEN) == "true":
                self._written.add(number)


def _seed(run: Run) -> dict[str, float | None]:
    last = run.curve[-1] if run.curve else None
    return {
        "test_accuracy": run.test_accuracy,
        "test_loss": run.test_loss,
        "validation_accuracy": last.validation_accuracy if last else None,
        "validation_loss": last.validation_loss if last else None,
    }


def _summary(card: Card, row: EntrantResults) -> dict[str, float | None]:
    values: dict[str, float | None] = {
        "log_test_loss": None if row.test_loss is None else math.log(row.test_loss),
        "mean_percent": row.mean_percent,
        "deviation_points": row.deviation_points,
        "diverged": row.diverged,
    }
    for each in card.comparisons_of(row.entrant.candidate_id):
        values[f"{names.DIFFERENCE_PREFIX}{each.rival}"] = each.difference
        values[f"{names.P_PREFIX}{each.rival}"] = each.p_adjusted
    return values


def _describe(finals: Finals) -> str:
    """The markdown that heads the parent run."""
    lines = [
        f"**{_cell(claim(finals))}**",
        "",
        f"{tried(finals)} {opened(finals)}",
        "",
        finals.plan.rule,
        "",
        "| function | accuracy in % | verdict |",
        "|---|---|---|",
    ]
    for row in finals.own.rows:
        mean = "" if row.mean_percent is None else f"{row.mean_percent:.2f}"
        verdict = finals.own.verdict(row.entrant.candidate_id)
        lines.append(f"| {_cell(row.entrant.label)} | {mean} | {_cell(verdict)} |")
    if len(finals.cards) > 1:
        lines += ["", "Elsewhere:", ""]
        lines += [
            f"* `{entrant.label}`: {where_it_holds(finals, entrant)}"
            for entrant in finals.plan.finalists
        ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text that markdown leaves as it is, also within a table."""
    return text.replace("|", "\\|").replace("*", "\\*")


def _describe_experiment(campaign: str) -> str:
    """The markdown that heads the experiment."""
    rivals = ", ".join(TITLES.values())
    return (
        f"The finals of the campaign `{campaign}`: functions trained anew on fresh seeds, then "
        f"scored on test data, compared with {rivals}. A parent run each, with a child run for "
        "each function and task; the step of a metric is the number of the seed, counted from 0."
    )
