"""A campaign's settings, whole, and which of them may change between launches."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from search.settings.finals import FinalsSettings, check_fresh
from search.settings.scoring import ScoringSettings
from search.settings.search import SearchSettings
from search.settings.section import Section
from search.settings.stop import StopSettings
from search.settings.tracking import TrackingSettings

# What else lies in a runs directory.
_TAKEN: Final = frozenset(
    {"campaigns", "records", "mlartifacts", "mlflow.db", "mlflow.db-shm", "mlflow.db-wal"}
)

LONGEST_NAME: Final = 80
"""Characters of a campaign's name."""

FREE_SETTINGS: Final = ("stop", "tracking", "description", "finals")
"""Settings that may change between launches: they decide how long a campaign runs and what is shown
of it, not what any of its evaluations come to."""


class Settings(Section):
    """A campaign, whole.

    Attributes:
        name: Of the campaign and of its folder in the runs directory, where some names are taken.
        description: Free text for people.
        seed: Of the search; the same seed gives the same campaign.
        task: Name of a shipped task, or the path of a task file, with or without "@RATE".
        grammar: A shipped grammar's name, or the path of a grammar file.
        fallback_dataset: What to train on if the task's data set cannot be had; never used unless
            the file says so.
        finals: The last comparison; None holds none.
    """

    name: Annotated[str, Field(pattern=rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}$")]
    description: Annotated[str, Field(max_length=5_000)] = ""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    task: str = "mnist-mlp"
    grammar: str = "core"
    fallback_dataset: Literal["digits"] | None = None
    search: SearchSettings = SearchSettings()
    scoring: ScoringSettings = ScoringSettings()
    tracking: TrackingSettings = TrackingSettings()
    stop: StopSettings = StopSettings()
    finals: FinalsSettings | None = None

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in _TAKEN:
            raise ValueError("a runs directory keeps other things under that name; choose another")
        return name

    @model_validator(mode="after")
    def _can_forecast(self) -> Settings:
        if self.scoring.forecast is not None and self.search.layers != "shared":
            raise ValueError(
                "scoring.forecast: only functions that all layers share can be forecast; "
                f"search.layers is {self.search.layers!r}"
            )
        return self

    @model_validator(mode="after")
    def _has_fresh_seeds(self) -> Settings:
        if self.finals is not None:
            check_fresh(self.finals, self.scoring)
        return self
