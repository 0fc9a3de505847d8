"""What all sections of a campaign file have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(ge=1)]
# Longer ones are no limits; clocks and alarms overflow far beyond them.
Minutes = Annotated[float, Field(gt=0.0, le=10_000_000.0)]
Seconds = Annotated[float, Field(gt=0.0, le=1_000_000.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
LearningRate = Annotated[float, Field(gt=0.0, le=10.0)]
Steps = Annotated[int, Field(ge=1, le=1_000_000)]


class SettingsError(ValueError):
    """A campaign file or a `--set` that cannot be used; the message lists every problem."""


class Section(BaseModel):
    """A table of the campaign file: frozen, and without a setting that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
