"""A campaign's settings, whole, and which of them may change between launches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from search.settings.finals import FinalsSettings, check_fresh
from search.settings.polish import PolishSettings
from search.settings.scoring import ScoringSettings
from search.settings.search import SearchSettings
from search.settings.section import Section
from search.settings.stop import StopSettings
from search.settings.tracking import TrackingSettings
from search.settings.watch import WatchSettings

# What else lies in a runs directory.
_TAKEN: Final = frozenset(
    {"campaigns", "records", "mlartifacts", "mlflow.db", "mlflow.db-shm", "mlflow.db-wal"}
)

LONGEST_NAME: Final = 80
"""Characters of a campaign's name."""

FREE_SETTINGS: Final = ("stop", "tracking", "description", "finals", "polish")
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
        fallback_dataset: What to train on if the data set of the only task cannot be had; never
            used unless the file says so.
        watch: Tasks on which the leader is looked at now and then; None for no such watch.
        polish: What is done for the best before the finals; None for nothing.
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
    watch: WatchSettings | None = None
    polish: PolishSettings | None = None
    finals: FinalsSettings | None = None

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in _TAKEN:
            raise ValueError("a runs directory keeps other things under that name; choose another")
        return name

    @model_validator(mode="before")
    @classmethod
    def _first_of_several(cls, document: Any) -> Any:
        """Of several tasks the first stands wherever one is meant."""
        scoring = document.get("scoring") if isinstance(document, Mapping) else None
        tasks = scoring.get("tasks") if isinstance(scoring, Mapping) else None
        if not tasks or not isinstance(tasks, list | tuple):
            return document
        if document.get("task", tasks[0]) != tasks[0]:
            raise ValueError(
                f"task: the campaign has several tasks, and its first is {tasks[0]!r}, not "
                f"{document['task']!r}; leave it out, or name it first in scoring.tasks"
            )
        return {**document, "task": tasks[0]}

    @model_validator(mode="after")
    def _scores_before_it_breeds(self) -> Settings:
        if self.scoring.is_appraised and self.search.lookahead:
            raise ValueError(
                "search.lookahead: with several tasks or learning rates a generation is scored "
                f"before the next one is bred; it must be 0, got {self.search.lookahead}"
            )
        return self

    @model_validator(mode="after")
    def _watches_other_tasks(self) -> Settings:
        used = set(self.search_tasks)
        if self.watch is not None and (both := sorted(used & set(self.watch.tasks))):
            raise ValueError(
                f"watch.tasks: the search uses {', '.join(both)} itself; watch it on others"
            )
        return self

    @property
    def all_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that workers train: those of the search, then those of the watch."""
        return (*self.search_tasks, *(self.watch.tasks if self.watch else ()))

    @property
    def search_tasks(self) -> tuple[str, ...]:
        """Names of the tasks that candidates are scored on."""
        return self.scoring.tasks or (self.task,)

    @property
    def generations_ahead(self) -> int:
        """Generations that are bred before the results of the running one are known."""
        return 0 if self.scoring.is_appraised else self.search.generations_ahead

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
            check_fresh(self.finals, self.scoring, self.watch)
        return self

    @model_validator(mode="after")
    def _names_nobody_yet(self) -> Settings:
        if self.finals is not None and self.finals.candidates:
            raise ValueError(
                "finals.candidates: a search has ids once it has run; leave this out, and choose "
                "then: actsearch finals CAMPAIGN --candidate ID"
            )
        return self
