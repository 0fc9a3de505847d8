"""The section `[stop]`: when a campaign ends."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.settings.section import Positive, Section


class StopSettings(Section):
    """When a campaign ends: at whichever limit comes first.

    Attributes:
        generations: Number of generations, the initial one included.
        evaluations: Trained candidates on the first rung.
        minutes: Wall time of all launches together.
        target_score: Of the hall of fame's leader, at the end of a generation.
        patience: Generations in a row that bring no new leader.
    """

    generations: Positive = 10
    evaluations: Positive | None = None
    minutes: Annotated[float, Field(gt=0.0)] | None = None
    target_score: Annotated[float, Field(allow_inf_nan=False)] | None = None
    patience: Positive | None = None
