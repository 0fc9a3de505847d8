"""What all evolutionary strategies share: breeding new functions and keeping a population."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import ClassVar, Final, final

from grammars import Expression, Grammar
from search.candidates.candidate import GIVEN, Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Vitals
from search.settings import SearchSettings
from search.strategies.breeding import Breeder
from search.strategies.diversity import diversity
from search.strategies.newcomers import newcomer
from search.strategies.rates import Rates
from search.strategies.starting_points import read_starting_points
from search.strategies.strategy import Admit
from search.strategies.trees import Fitness, Individual, to_expression, to_tree
from search.strategies.variation import applicable

# A child whose function is known is drawn again this often before a random one is drawn instead.
ATTEMPTS: Final = 40

# Share of a generation that is drawn at random while the population is too much alike.
IMMIGRANTS_WHEN_ALIKE: Final = 0.5


class Evolution(ABC):
    """Breeds children from a population; subclasses say who breeds and who survives.

    Everything follows from the seed: each generation has a generator of its own, so that what one
    draws does not shift the next, and what is told is put in order first.

    Attributes:
        crosses: Whether children may have two parents.
    """

    crosses: ClassVar[bool] = True

    def __init__(
        self,
        grammar: Grammar,
        settings: SearchSettings,
        *,
        seed: int | str,
        starting_points: Sequence[Expression] | None = None,
    ) -> None:
        """Starts with an empty population.

        Args:
            grammar: What may be written.
            settings: The campaign's, or an island's share of them.
            seed: Of all that is drawn.
            starting_points: Functions to start from; by default those that the settings name.

        Raises:
            SettingsError: If a function to start from cannot be had or not be written.
        """
        self.settings = settings
        self.population: list[Individual] = []
        self._grammar, self._seed = grammar, seed
        if starting_points is None:
            starting_points = read_starting_points(settings.start_from, grammar)
        # One iterator over all generations: what the first has no room for has its turn later.
        self._points = iter(starting_points)
        self._rates = Rates(applicable(grammar), adaptive=settings.adaptive_rates)
        self._breeder = Breeder(grammar, self._rates, settings.crossover if self.crosses else 0.0)
        self._diversity = 1.0
        # Births, numbered in the order of asking.
        self._births = itertools.count()
        self._born: dict[str, int] = {}

    @abstractmethod
    def parent(self) -> Individual:
        """Chooses a parent from the population, drawing from the global `random`."""

    @abstractmethod
    def survivors(self, members: list[Individual]) -> list[Individual]:
        """Chooses the next population, in an order that depends on the members alone.

        Args:
            members: The population and everything that was told, sorted by id.
        """

    @final
    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """Makes a generation; see `Strategy.ask`."""
        generator = Random(f"{self._seed}/{generation}")
        strangers = self._strangers(count, generation)
        candidates = self.given(count, generation=generation, admit=admit)
        for number in range(len(candidates), count):
            child = None
            if self.population and number >= strangers:
                child = self._offspring(generator, generation=generation, admit=admit)
            child = child or self._newcomer(generator, generation=generation, admit=admit)
            if child is None:
                break
            candidates.append(child)
            self._born[child.id] = next(self._births)
        return candidates

    @final
    def given(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """The next new ones of the functions to start from, `count` at the most."""
        new = (
            Candidate.of(expression, generation=generation, variation=GIVEN)
            for expression in self._points
            if admit(expression)
        )
        candidates = list(itertools.islice(new, count))
        self._born.update((candidate.id, next(self._births)) for candidate in candidates)
        return candidates

    @final
    def tell(self, standings: Iterable[Standing]) -> None:
        """Gives individuals their fitness and lets the fit survive; see `Strategy.tell`."""
        told = sorted(standings, key=lambda standing: standing.candidate.id)
        members = {individual.candidate_id: individual for individual in self.population}
        self._rates.credit(self._surpassing(told, members))
        for standing in told:
            identity = standing.candidate.id
            # What climbs later than it was asked for may have left the population meanwhile.
            individual = members.get(identity) or self._individual(standing.candidate)
            individual.standing = standing
            individual.fitness = Fitness(standing.rank_key)
            members[identity] = individual
        self.population = self.survivors([members[identity] for identity in sorted(members)])
        self._diversity = diversity([to_expression(member) for member in self.population])

    def best(self, count: int) -> list[Individual]:
        """The best of the population, ties broken by id."""
        by_id = sorted(self.population, key=lambda member: member.candidate_id)
        return sorted(by_id, key=lambda member: member.rank_key, reverse=True)[:count]

    def receive(self, migrants: Iterable[Individual]) -> None:
        """Takes in copies of another island's individuals, as if born here and now."""
        members = {individual.candidate_id: individual for individual in self.population}
        for migrant in migrants:
            # What is frozen may be shared.
            arrived = deepcopy(migrant, {id(migrant.standing): migrant.standing})
            self._born[arrived.candidate_id] = arrived.born = next(self._births)
            members[arrived.candidate_id] = arrived
        self.population = self.survivors([members[identity] for identity in sorted(members)])

    @property
    def vitals(self) -> Vitals:
        """Diversity and rates as they stand after the last generation."""
        return Vitals(self._diversity, self._rates.probabilities)

    def _immigrants(self) -> float:
        if self._diversity < self.settings.least_diversity:
            return max(self.settings.immigrants, IMMIGRANTS_WHEN_ALIKE)
        return self.settings.immigrants

    def _strangers(self, count: int, generation: int) -> int:
        """How many of a generation are drawn at random: one at least, where it has more than one.

        Where individuals are replaced one at a time, one in every so many.
        """
        share = self._immigrants() * count
        if count > 1:
            return math.ceil(share)
        return math.floor((generation + 1) * share) - math.floor(generation * share)

    def _newcomer(self, generator: Random, *, generation: int, admit: Admit) -> Candidate | None:
        expression = newcomer(self._grammar, generator, admit)
        return None if expression is None else Candidate.of(expression, generation=generation)

    def _offspring(self, generator: Random, *, generation: int, admit: Admit) -> Candidate | None:
        for _ in range(ATTEMPTS):
            child = self._breeder.child(self.parent, generator)
            if child.tree is not None and admit(expression := to_expression(child.tree)):
                return Candidate.of(
                    expression,
                    generation=generation,
                    parents=tuple(parent.candidate_id for parent in child.parents),
                    variation=child.variation,
                )
        return None

    def _individual(self, candidate: Candidate) -> Individual:
        assert isinstance(candidate.expression, Expression)  # as it was asked for
        individual = to_tree(candidate.expression, self._grammar)
        individual.candidate_id = candidate.id
        individual.born = self._born.get(candidate.id, -1)
        return individual

    @staticmethod
    def _surpassing(
        told: list[Standing], members: dict[str, Individual]
    ) -> Iterator[tuple[str, bool]]:
        """For each child of the population, what made it and whether it stands higher."""
        for standing in told:
            child = standing.candidate
            parents = [members[parent] for parent in child.parents if parent in members]
            if parents and child.id not in members:
                best = max(parent.rank_key for parent in parents)
                yield child.variation, standing.rank_key > best
