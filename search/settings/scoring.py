"""The section `[scoring]`: what candidates are granted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from evaluators.evaluation.fidelity import Fidelity
from evaluators.recipes.recipe import Schedule
from search.settings.section import LearningRate, Seconds, Section, Steps

Weight = Annotated[float, Field(gt=0.0, le=1e6)]


class Rung(Section):
    """One step of the ladder that candidates climb.

    Attributes:
        steps: Optimiser steps of each training run.
        seeds: Number of training runs.
        tasks: Of the section's tasks, those that count on this rung; by default all.
        rate_seeds: Of the seeds, those that a function's learning rate is chosen with. The score is
            then that of the others alone, at the rate refined by a parabola through the best and
            its neighbours: what decides on a rate is noise too, and most seeds are trained once.
            By default all seeds train at each rate.
    """

    steps: Steps
    seeds: Annotated[int, Field(ge=1, le=1_000)] = 1
    tasks: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] | None = None
    rate_seeds: Annotated[int, Field(ge=1, le=1_000)] | None = None

    @model_validator(mode="after")
    def _keeps_seeds(self) -> Rung:
        if self.rate_seeds is not None and self.rate_seeds >= self.seeds:
            raise ValueError(
                f"rate_seeds: {self.rate_seeds} of {self.seeds} seeds leave none to score with; "
                "there must be more seeds than that"
            )
        return self

    @model_validator(mode="after")
    def _names_each_once(self) -> Rung:
        if self.tasks is not None and len(set(self.tasks)) < len(self.tasks):
            raise ValueError(
                f"tasks: each must be named once, got {', '.join(self.tasks)}; what counts more "
                "than others has a weight in aggregate"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_set(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # As before there were tasks: MLflow keeps the rungs as a parameter, which may not change.
        document: dict[str, Any] = serialise(self)
        later = ("tasks", "rate_seeds")
        return {key: value for key, value in document.items() if key not in later or value}

    def __str__(self) -> str:
        on = "" if self.tasks is None else f" on {', '.join(self.tasks)}"
        return f"{self.steps} steps x {self.seeds} seeds{on}"


class ScoringSettings(Section):
    """What candidates are granted.

    Attributes:
        tasks: Several tasks, by name or path, on each of which a candidate is compared with the
            baselines; empty for the campaign's single task.
        aggregate: What becomes of the advantages on several tasks: their mean, the worst of them,
            or a mean with weights by task.
        learning_rates: Ascending rates, a factor of about two apart, of which each function is
            scored at its own best; empty for the rate of each task's recipe.
        schedule: Of the learning rate, in place of each recipe's; by default theirs stay.
        rungs: Fidelities in climbing order; every candidate gets the first.
        reduction_factor: One in so many climbs to the next rung (successive halving).
        forecast: Learning curves from which final scores are forecast, so that those climb who
            promise most: the name of shipped ones, or the path of a file; by default scores decide.
        screening: Share of the candidates that are trained at all, those whose shape promises
            most; only with a forecast.
        first_seed: Training seeds count up from here.
        batch: Candidates that are compiled into one program.
        timeout_seconds: Processor time that one candidate's training may take for each seed; beside
            an accelerator, time. A later launch may grant more.
        memory_gib: What a worker may allocate, in GiB; a candidate that needs more has failed.
    """

    tasks: Annotated[tuple[str, ...], Field(max_length=50, strict=False)] = ()
    aggregate: Literal["mean", "worst"] | dict[str, Weight] = "mean"
    learning_rates: Annotated[tuple[LearningRate, ...], Field(max_length=30, strict=False)] = ()
    schedule: Schedule | None = None
    rungs: Annotated[tuple[Rung, ...], Field(min_length=1, max_length=10, strict=False)] = (
        Rung(steps=200, seeds=1),
        Rung(steps=1000, seeds=2),
    )
    reduction_factor: Annotated[float, Field(gt=1.0, le=100.0)] = 4.0
    forecast: Annotated[str, Field(max_length=1_000)] | None = None
    screening: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    first_seed: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    batch: Annotated[int, Field(ge=1, le=256)] = 64
    timeout_seconds: Seconds = 60.0
    memory_gib: Annotated[float, Field(ge=1.0, le=1_000_000.0)] = 4.0

    @model_validator(mode="after")
    def _climbs(self) -> ScoringSettings:
        for lower, upper in zip(self.rungs, self.rungs[1:], strict=False):
            grows = upper.steps >= lower.steps and upper.seeds >= lower.seeds
            keeps_tasks = set(self.tasks_of(lower)) <= set(self.tasks_of(upper))
            if not (grows and keeps_tasks) or upper == lower:
                raise ValueError(f"rungs must climb: {upper} follows {lower}")
        return self

    @model_validator(mode="after")
    def _chooses_rates(self) -> ScoringSettings:
        for number, rung in enumerate(self.rungs):
            if rung.rate_seeds is not None and not self.explores(number):
                raise ValueError(
                    f"rungs: no learning rate is chosen on rung {number + 1}, so that rate_seeds "
                    "means nothing there; it needs learning_rates, and a rung below"
                )
        return self

    @model_validator(mode="after")
    def _knows_its_tasks(self) -> ScoringSettings:
        named = {name for rung in self.rungs for name in rung.tasks or ()}
        if isinstance(self.aggregate, dict):
            named |= self.aggregate.keys()
        if unknown := sorted(named - set(self.tasks)):
            raise ValueError(
                f"tasks: {', '.join(unknown)} of a rung or a weight is not among the tasks, "
                f"{', '.join(self.tasks) or 'of which there are none'}; name it there too"
            )
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError(f"tasks: each must be named once, got {', '.join(self.tasks)}")
        if list(self.learning_rates) != sorted(set(self.learning_rates)):
            raise ValueError(
                f"learning_rates: they must ascend, got {list(self.learning_rates)}; neighbours "
                "are what a function is tried at next"
            )
        return self

    @model_validator(mode="after")
    def _knows_what_to_screen_by(self) -> ScoringSettings:
        if self.screening < 1.0 and self.forecast is None:
            raise ValueError(
                f"screening: {self.screening:g} of the candidates cannot be chosen without a "
                "forecast; name learning curves in scoring.forecast"
            )
        return self

    @model_validator(mode="after")
    def _forecasts_one_task(self) -> ScoringSettings:
        if self.forecast is not None and self.is_appraised:
            raise ValueError(
                "forecast: learning curves are of one task at one learning rate; leave out "
                "forecasts, or tasks and learning_rates"
            )
        return self

    @property
    def is_appraised(self) -> bool:
        """Whether candidates are compared over several tasks or learning rates."""
        return bool(self.tasks or self.learning_rates)

    def explores(self, number: int) -> bool:
        """Whether functions find their own learning rates on a rung, counted from 0.

        On the first they are tried at the field's rate alone, unless there is no other.
        """
        return bool(self.learning_rates) and (number > 0 or len(self.rungs) == 1)

    def tasks_of(self, rung: Rung) -> tuple[str, ...]:
        """Names of the tasks that count on a rung; empty for the campaign's single one."""
        return self.tasks if rung.tasks is None else rung.tasks

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """The rungs as budgets, seeds counted from `first_seed`.

        Where candidates are appraised, the last rung has seeds that no other rung has: who was
        lucky on the way up is not lucky again.
        """
        start = self.first_seed
        budgets = [range(start, start + rung.seeds) for rung in self.rungs]
        if self.is_appraised and len(budgets) > 1:
            budgets[-1] = range(budgets[-2].stop, budgets[-2].stop + len(budgets[-1]))
        return tuple(
            Fidelity(rung.steps, tuple(seeds))
            for rung, seeds in zip(self.rungs, budgets, strict=True)
        )
