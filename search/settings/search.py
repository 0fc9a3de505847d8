"""The section `[search]`: how new candidates are made."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from search.settings.require import RequireSettings
from search.settings.section import Positive, Section, Share

_SMALLEST_ISLAND: Final = 4
_TOURNAMENT: Final = 4

StrategyName = Literal[
    "genetic", "regularized_evolution", "nsga2", "random", "exhaustive", "surrogate"
]


_WITHOUT_POPULATION: Final = ("random", "exhaustive", "surrogate")
# They propose a quarter of a population at a time.
_STEADY: Final = ("regularized_evolution", "surrogate")


class SearchSettings(Section):
    """How new candidates are made.

    Attributes:
        strategy: Name of the strategy.
        population: Individuals that are kept, over all islands.
        offspring: Candidates of each generation; by default as many as the population, and a
            quarter of it in regularized evolution and with a surrogate.
        tournament: Individuals that compete to become a parent; by default 4, and a quarter of
            the population in regularized evolution. With nsga2 they are always two, with a
            surrogate four.
        parsimony: With genetic search and a surrogate: how often, of two winners, the smaller one
            becomes the parent: 1 means half of the time, 2 always (Luke, Panait 2002).
        crossover: Share of the offspring made from two parents; the rest is mutated.
        adaptive_rates: Whether mutations that surpass their parents are used more often.
        immigrants: Share of each generation that is drawn at random.
        least_diversity: Mean structural distance within the population, 0 to 1, below which half
            of a generation is drawn at random.
        lookahead: Generations that are bred before the results of the running one are known, and
            race beside it, so that no worker waits for the last of them; by default 1 in
            regularized evolution, and 0 otherwise. 3 keep a cluster busy.
        islands: Populations that evolve side by side.
        migration_interval: Generations between two migrations from each island to the next.
        migrants: Individuals that migrate from each island, its best.
        layers: Whether all hidden layers share one function, or a function each evolves for the
            first, the middle and the last of them, or for each; populations and their settings are
            then those of each layer.
        brood: With `surrogate`: functions that are bred on the model for each generation, of which
            the most promising are trained.
        optimism: With `surrogate`: how many standard deviations of the model's trees are added to
            what they expect; more tries what is unlike anything known.
        max_size: Most nodes of a function, if fewer than the grammar allows; with a template, of
            what fills it.
        start_from: Catalogue names, expressions, and folders of campaigns whose hall of fame is
            taken; the first candidates of an evolutionary strategy. What is in the catalogue, or
            only scales what is, is scored, bred from and to be beaten, but counts as no discovery.
            With a template they are what fills it.
        learn_from: With `surrogate`: runs directories, or folders of campaigns, whose scores the
            model learns beside its own, where tasks, steps, seeds and rates are the same. They are
            read at the first launch, and kept in the journal.
        template: An expression with a hole, `"x * _"`, that the search fills; by default it
            writes the whole function.
        require: What a function must be to be trained at all; see `RequireSettings`.
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
    brood: Annotated[int, Field(ge=100, le=1_000_000)] = 3_000
    optimism: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0
    max_size: Annotated[int, Field(ge=1, le=1_000)] | None = None
    start_from: Annotated[tuple[str, ...], Field(max_length=1_000, strict=False)] = ()
    learn_from: Annotated[tuple[str, ...], Field(max_length=100, strict=False)] = ()
    template: Annotated[str, Field(max_length=1_000)] | None = None
    require: RequireSettings | None = None

    @field_validator("template")
    @classmethod
    def _has_a_hole(cls, template: str | None) -> str | None:
        if template is not None:
            from grammars.parsing.template import Template

            Template.read(template)
        return template

    @model_validator(mode="after")
    def _can_start(self) -> SearchSettings:
        if self.start_from and self.strategy in ("random", "exhaustive"):
            raise ValueError(f"start_from: the strategy {self.strategy!r} starts from nothing")
        return self

    @model_validator(mode="after")
    def _can_learn(self) -> SearchSettings:
        if self.learn_from and self.strategy != "surrogate":
            raise ValueError(
                f"learn_from: the strategy {self.strategy!r} has no model that could learn; it "
                "must be 'surrogate'"
            )
        require = self.require
        is_made = require is not None and (require.symmetry or require.zero_at_zero)
        if self.learn_from and (self.template is not None or is_made):
            raise ValueError(
                "learn_from: with a template, or a property that is kept by construction, the "
                "model knows what is inside of functions alone; leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _has_room_for_islands(self) -> SearchSettings:
        if self.islands == 1:
            return self
        if self.strategy in _WITHOUT_POPULATION:
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
        if self.layers != "shared" and self.strategy == "surrogate":
            raise ValueError(
                "layers: the model of the strategy 'surrogate' knows single functions; "
                f"layers must be 'shared', not {self.layers!r}"
            )
        if self.layers != "shared" and self.strategy in _WITHOUT_POPULATION:
            raise ValueError(f"layers: the strategy {self.strategy!r} has no population")
        if self.layers != "shared" and self.islands > 1:
            raise ValueError(
                f"layers: {self.layers!r} gives each layer of the network one population; islands "
                f"must be 1, not {self.islands}"
            )
        return self

    def functions(self, hidden_layers: int) -> int:
        """How many functions a network of so many hidden layers takes."""
        if self.layers == "shared":
            return 1
        return hidden_layers if self.layers == "each" else min(hidden_layers, 3)

    @property
    def generation_size(self) -> int:
        """Candidates of each generation."""
        if self.offspring:
            return self.offspring
        return self._quarter if self.strategy in _STEADY else self.population

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
