"""The section `[watch]`: tasks that the search does not use, on which its leader is looked at."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from search.settings.scoring import ScoringSettings
from search.settings.section import Section, Steps

_Count = Annotated[int, Field(ge=1, le=1_000_000)]


class WatchSettings(Section):
    """Tasks that the search does not use, on which its leader meets the best baseline.

    What a search is scored by it may end up fitting: its leaders get better there, and no longer
    elsewhere (compare Chen, Liang, Huang and others, Symbolic Discovery of Optimization
    Algorithms, 2023, who watch their search on larger tasks).

    Attributes:
        tasks: By name or path.
        every: Generations from one meeting to the next.
        steps: Of each training run; by default those of the last rung.
        seeds: Training runs, on seeds that no rung uses.
        patience: Meetings in a row that bring no greater lead, after which the search ends; by
            default it never does.
        chooses_finalists: Whether those who have led and met go to finals in the order of their
            lead here, before all others.
    """

    tasks: Annotated[tuple[str, ...], Field(min_length=1, max_length=50, strict=False)]
    every: _Count = 5
    steps: Steps | None = None
    seeds: Annotated[int, Field(ge=1, le=1_000)] = 2
    patience: _Count | None = None
    chooses_finalists: bool = False

    def fresh_seeds(self, scoring: ScoringSettings) -> tuple[int, ...]:
        """The seeds of its training runs, beyond those of the search's rungs."""
        used = max(seed for fidelity in scoring.fidelities for seed in fidelity.seeds)
        return tuple(range(used + 1, used + 1 + self.seeds))

    @model_validator(mode="after")
    def _names_each_once(self) -> WatchSettings:
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError(f"tasks: each must be named once, got {', '.join(self.tasks)}")
        return self
