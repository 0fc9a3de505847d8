"""The campaign file, validated whole and frozen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from evaluators.fidelity import Fidelity
from grammars.toml_files import TomlError, parse_toml, read_toml

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
LearningRate = Annotated[float, Field(gt=0.0, le=10.0)]
_SMALLEST_ISLAND: Final = 4
_TOURNAMENT: Final = 4

# What else lies in a runs directory.
_TAKEN: Final = frozenset(
    {"campaigns", "records", "mlartifacts", "mlflow.db", "mlflow.db-shm", "mlflow.db-wal"}
)

StrategyName = Literal["genetic", "regularized_evolution", "nsga2", "random", "exhaustive"]


class SettingsError(ValueError):
    """A campaign file or a `--set` that cannot be used; the message lists every problem."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Rung(_Section):
    """One step of the ladder that candidates climb.

    Attributes:
        steps: Optimiser steps of each training run.
        seeds: Number of training runs.
    """

    steps: Annotated[int, Field(ge=1, le=1_000_000)]
    seeds: Annotated[int, Field(ge=1, le=1_000)] = 1


class SearchSettings(_Section):
    """How new candidates are made.

    Attributes:
        strategy: Name of the strategy.
        population: Individuals that are kept, over all islands.
        offspring: Candidates of each generation; by default as many as the population, and a
            quarter of it in regularized evolution.
        tournament: Individuals that compete to become a parent; by default 4, and a quarter of
            the population in regularized evolution.
        parsimony: How often, of two tournament winners, the smaller one becomes the parent: 1 means
            half of the time, 2 always (Luke, Panait 2002).
        crossover: Share of the offspring made from two parents; the rest is mutated.
        adaptive_rates: Whether mutations that surpass their parents are used more often.
        immigrants: Share of each generation that is drawn at random.
        least_diversity: Mean structural distance within the population, 0 to 1, below which half
            of a generation is drawn at random.
        lookahead: Generations that are bred before the results of the running one are known, so
            that no worker waits for the last of them; by default 1 in regularized evolution, and
            0 otherwise.
        islands: Populations that evolve side by side.
        migration_interval: Generations between two migrations from each island to the next.
        migrants: Individuals that migrate from each island, its best.
        layers: Whether all hidden layers share one function, or a function each evolves for the
            first, the middle and the last of them, or for each; populations and their settings are
            then those of each place.
        start_from: Catalogue names, expressions, and folders of campaigns whose hall of fame is
            taken; the first candidates of an evolutionary strategy.
    """

    strategy: StrategyName = "genetic"
    population: Annotated[int, Field(ge=4, le=100_000)] = 64
    offspring: Annotated[int, Field(ge=1, le=100_000)] | None = None
    tournament: Annotated[int, Field(ge=1, le=1_000)] | None = None
    parsimony: Annotated[float, Field(ge=1.0, le=2.0)] = 1.2
    crossover: Share = 0.5
    adaptive_rates: bool = False
    immigrants: Share = 0.1
    least_diversity: Share = 0.3
    lookahead: Annotated[int, Field(ge=0, le=100)] | None = None
    islands: Annotated[int, Field(ge=1, le=1_000)] = 1
    migration_interval: Positive = 5
    migrants: Annotated[int, Field(ge=0, le=1_000)] = 2
    layers: Literal["shared", "first_middle_last", "each"] = "shared"
    start_from: Annotated[tuple[str, ...], Field(max_length=1_000, strict=False)] = ()

    @model_validator(mode="after")
    def _can_start(self) -> SearchSettings:
        if self.start_from and self.strategy in ("random", "exhaustive"):
            raise ValueError(f"start_from: the strategy {self.strategy!r} starts from nothing")
        return self

    @model_validator(mode="after")
    def _has_room_for_islands(self) -> SearchSettings:
        if self.islands == 1:
            return self
        if self.strategy in ("random", "exhaustive"):
            raise ValueError(f"islands: the strategy {self.strategy!r} has no population")
        each = self.population // self.islands
        if each < _SMALLEST_ISLAND or self.migrants >= each or self.generation_size < self.islands:
            raise ValueError(
                f"islands: {self.islands} of them share a population of {self.population} and "
                f"{self.generation_size} offspring; each needs at least {_SMALLEST_ISLAND} "
                f"individuals, more than its {self.migrants} migrants, and 1 of the offspring"
            )
        return self

    @model_validator(mode="after")
    def _can_coevolve(self) -> SearchSettings:
        if self.layers != "shared" and self.strategy in ("random", "exhaustive"):
            raise ValueError(f"layers: the strategy {self.strategy!r} has no population")
        if self.layers != "shared" and self.islands > 1:
            raise ValueError(
                f"layers: {self.layers!r} gives each place in the network one population; islands "
                f"must be 1, not {self.islands}"
            )
        return self

    def places(self, hidden_layers: int) -> int:
        """How many functions a network of so many hidden layers takes."""
        if self.layers == "shared":
            return 1
        return hidden_layers if self.layers == "each" else min(hidden_layers, 3)

    @property
    def generation_size(self) -> int:
        """Candidates of each generation."""
        return self.offspring or self._unless_steady(self.population, self._quarter)

    @property
    def tournament_size(self) -> int:
        """Individuals that compete to become a parent."""
        return self.tournament or self._unless_steady(_TOURNAMENT, self._quarter)

    @property
    def generations_ahead(self) -> int:
        """Generations that are bred before the results of the running one are known."""
        return self._unless_steady(0, 1) if self.lookahead is None else self.lookahead

    @property
    def _quarter(self) -> int:
        # PANGAEA: tournaments of 16 in a population of 64.
        return -(-self.population // 4)

    def _unless_steady(self, usual: int, steady: int) -> int:
        return steady if self.strategy == "regularized_evolution" else usual


class ScoringSettings(_Section):
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
    timeout_seconds: Annotated[float, Field(gt=0.0)] = 60.0
    memory_gib: Annotated[float, Field(ge=1.0)] = 4.0

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


class FinalsSettings(_Section):
    """The last, honest comparison, held when the search has ended; without this section none is.

    Attributes:
        top: Best of the search that take part; all baselines do.
        seeds: Training seeds at the first look; the number doubles from look to look.
        max_seeds: At the last look.
        half_width: Looks end when every interval of a finalist against ReLU, Swish and GELU, on
            validation data, reaches at most so far to either side, in points of accuracy.
        steps: Optimiser steps of each training run; by default those of the last rung.
        transfer: Tasks beside the campaign's own on which the finalists meet the rivals.
        learning_rates: Of Adam, beside the own task's: does the verdict hold under another recipe?
        transfer_seeds: Training seeds on each of those.
        transfer_steps: Optimiser steps there; by default those of the finals.
        first_seed: Training seeds count up from here; none of them is one of the search's.
        minutes: Wall time after which no further seed is begun; the first look at the own task and
            the scoring on test data are held in any case.
        timeout_seconds: What one training run may take.
        register_leader: Whether the best finalist enters MLflow's model registry.
    """

    top: Annotated[int, Field(ge=1, le=50)] = 3
    seeds: Annotated[int, Field(ge=2, le=1_000)] = 10
    max_seeds: Annotated[int, Field(ge=2, le=1_000)] = 20
    half_width: Annotated[float, Field(gt=0.0, le=100.0)] = 0.1
    steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    transfer: Annotated[tuple[str, ...], Field(max_length=20, strict=False)] = ()
    learning_rates: Annotated[tuple[LearningRate, ...], Field(max_length=20, strict=False)] = ()
    transfer_seeds: Annotated[int, Field(ge=2, le=1_000)] = 10
    transfer_steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    first_seed: Annotated[int, Field(ge=0, le=2_000_000_000)] = 1_000_000
    minutes: Annotated[float, Field(gt=0.0)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0.0)] = 600.0
    register_leader: bool = False

    @model_validator(mode="after")
    def _grows(self) -> FinalsSettings:
        if self.max_seeds < self.seeds:
            raise ValueError(f"max_seeds, {self.max_seeds}, must be at least seeds, {self.seeds}")
        return self

    @property
    def looks(self) -> tuple[int, ...]:
        """Planned numbers of seeds: doubled from look to look, `max_seeds` at the last."""
        counts = [self.seeds]
        while counts[-1] < self.max_seeds:
            counts.append(min(2 * counts[-1], self.max_seeds))
        return tuple(counts)


class TrackingSettings(_Section):
    """What is mirrored to MLflow.

    Attributes:
        mlflow: Whether anything is.
        candidate_runs: Which candidates get a run of their own: all, those promoted beyond the
            first rung, or none. Every candidate is in the campaign's table in any case.
    """

    mlflow: bool = True
    candidate_runs: Literal["all", "promoted", "none"] = "promoted"


class StopSettings(_Section):
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


class Settings(_Section):
    """A campaign, whole.

    Attributes:
        name: Of the campaign and of its folder in the runs directory, where some names are taken.
        description: Free text for people.
        seed: Of the search; the same seed gives the same campaign.
        task: Name of the task.
        grammar: A shipped grammar's name, or the path of a grammar file.
        fallback_dataset: What to train on if the task's data set cannot be had; never used unless
            the file says so.
        finals: The last comparison; None holds none.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
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


def check_fresh(finals: FinalsSettings, scoring: ScoringSettings) -> None:
    """Makes sure that finals train on no seed that the search has chosen by.

    Raises:
        ValueError: If they would.
    """
    used = {seed for fidelity in scoring.fidelities for seed in fidelity.seeds}
    count = max(finals.max_seeds, finals.transfer_seeds)
    fresh = range(finals.first_seed, finals.first_seed + count)
    if not used.isdisjoint(fresh):
        raise ValueError(
            f"finals.first_seed: seeds {fresh.start} to {fresh.stop - 1} overlap with those of the "
            f"search, {min(used)} to {max(used)}; choose one beyond {max(used)}"
        )


def load_settings(path: Path, overrides: Iterable[str] = ()) -> Settings:
    """Reads a campaign file.

    Args:
        path: A TOML file; the name of the campaign is that of the file unless it says otherwise.
        overrides: `key=value` texts that replace or add settings, such as `search.population=32`.

    Raises:
        SettingsError: With every problem at once, each with its path in the file.
        FileNotFoundError: If there is no such file.
    """
    document = _read(path)
    for override in overrides:
        _apply_override(document, override)
    document.setdefault("name", re.sub(r"[^A-Za-z0-9._-]", "-", path.stem))
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        lines = [_describe_problem(problem) for problem in error.errors()]
        count = f"{len(lines)} problem{'' if len(lines) == 1 else 's'}"
        raise SettingsError("\n".join([f"{path} has {count}:", *lines])) from None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no campaign file {path}")
    try:
        return read_toml(path)
    except TomlError as error:
        raise SettingsError(str(error)) from None


def _apply_override(document: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not separator or not all(parts):
        raise SettingsError(
            f"--set expects key=value such as search.population=32, got {override!r}"
        )
    try:
        value = parse_toml(f"value = {text}", what=f"--set {key}")["value"]
    except TomlError:
        value = text.strip()  # a bare word, so that --set task=mnist-mlp needs no inner quotes
    section = document
    for part in parts[:-1]:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            raise SettingsError(f"--set {override!r}: {part!r} is a value, not a section")
    section[parts[-1]] = value


def _describe_problem(problem: Any) -> str:
    """One line for a pydantic error: its path, what is wrong, what arrived, what to do."""
    path = ".".join(str(part) for part in problem["loc"]) or "campaign"
    if problem["type"] == "extra_forbidden":
        return f"  {path}: unknown setting; {_nearest_setting(problem['loc'])}"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    arrived = repr(problem["input"])
    if isinstance(problem["input"], (Mapping, BaseModel)):
        return f"  {path}: {message}"
    return f"  {path}: {message}, got {arrived if len(arrived) <= 80 else arrived[:77] + '...'}"


def _nearest_setting(location: tuple[int | str, ...]) -> str:
    model: Any = Settings
    for part in location[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = Rung if part == "rungs" else _section(model.model_fields[part].annotation)
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


def _section(annotation: Any) -> Any:
    """The model that an annotation names, where it may also be None."""
    return next((part for part in get_args(annotation) if part is not type(None)), annotation)
