"""The section `[scoring]`: what candidates are granted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from evaluators.fidelity import Fidelity
from search.settings.section import Seconds, Section, Steps


class Rung(Section):
    """One step of the ladder that candidates climb.

    Attributes:
        steps: Optimiser steps of each training run.
        seeds: Number of training runs.
    """

    steps: Steps
    seeds: Annotated[int, Field(ge=1, le=1_000)] = 1


class ScoringSettings(Section):
    """What candidates are granted.

    Attributes:
        rungs: Fidelities in climbing order; every candidate gets the first.
        reduction_factor: One in so many climbs to the next rung (successive halving).
        forecast: Learning curves from which final scores are forecast, so that those climb who
            promise most: the name of shipped ones, or the path of a file; None climbs by score.
        screening: Share of the candidates that are trained at all, those whose shape promises
            most; only with a forecast.
        first_seed: Training seeds count up from here.
        batch: Candidates that are compiled into one program.
        timeout_seconds: What one candidate may take at one rung, its share of compiling included.
        memory_gib: What a worker may allocate, in GiB; a candidate that needs more has failed.
    """

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
            if upper.steps < lower.steps or upper.seeds < lower.seeds or upper == lower:
                raise ValueError(
                    f"rungs must climb: {upper.steps} steps x {upper.seeds} seeds follows "
                    f"{lower.steps} steps x {lower.seeds} seeds"
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

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """The rungs as budgets, seeds counted from `first_seed`."""
        start = self.first_seed
        return tuple(
            Fidelity(rung.steps, tuple(range(start, start + rung.seeds))) for rung in self.rungs
        )
