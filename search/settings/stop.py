"""The section `[stop]`: when a campaign ends."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.settings.section import Minutes, Positive, Section


class StopSettings(Section):
    """When a campaign ends: at whichever limit comes first.

    Attributes:
        generations: Number of generations, the initial one included.
        evaluations: Trained candidates on the first rung.
        minutes: Time at work of all launches together, in which none of them was stopped.
        target_score: Of the hall of fame's leader, at the end of a generation.
        patience: Generations in a row that bring no new leader.
    """

    generations: Positive = 10
    evaluations: Positive | None = None
    minutes: Minutes | None = None
    target_score: Annotated[float, Field(ge=-1e6, le=1e6)] | None = None
    patience: Positive | None = None
