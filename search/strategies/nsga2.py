"""NSGA-II: good, cheap and small functions at once, instead of one compromise."""

from __future__ import annotations

import random
from typing import Final, final

from deap import base, tools

from search.candidates.objectives import OBJECTIVES, burdens
from search.strategies.evolution import Evolution
from search.strategies.trees import Individual

# DEAP's tournament draws two pairs at a time from a population of at least four.
_SMALLEST_TOURNAMENT: Final = 4


class Tradeoff(base.Fitness):  # type: ignore[misc]
    """What is to be minimised of an individual: one number for each objective."""

    @property
    def weights(self) -> tuple[float, ...]:
        """DEAP maximises what has a positive weight."""
        return (-1.0,) * len(OBJECTIVES)


@final
class NSGA2(Evolution):
    """Non-dominated sorting and crowding, by DEAP.

    Deb, Pratap, Agarwal, Meyarivan, A Fast and Elitist Multiobjective Genetic Algorithm, 2002.
    """

    def parent(self) -> Individual:
        """The winner of a tournament of two: by dominance, then by crowding distance."""
        if len(self.population) < _SMALLEST_TOURNAMENT:
            return random.choice(self.population)
        winners: list[Individual] = tools.selTournamentDCD(self.population, _SMALLEST_TOURNAMENT)
        return winners[0]

    def survivors(self, members: list[Individual]) -> list[Individual]:
        """The first fronts, the last of them thinned where it is crowded."""
        standings = [member.standing for member in members if member.standing is not None]
        for member, burden in zip(members, burdens(standings), strict=True):
            member.fitness = Tradeoff(burden)
        return list(tools.selNSGA2(members, self.settings.population))
