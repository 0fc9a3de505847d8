"""NSGA-II: good, cheap and small functions at once, instead of one compromise."""

from __future__ import annotations

import random
from typing import Final, final

from deap import base, tools

from search.strategies.evolution import Evolution
from search.strategies.objectives import Price
from search.strategies.trees import Individual, to_expression

# DEAP's tournament draws two pairs at a time from a population of at least four.
_SMALLEST_TOURNAMENT: Final = 4


class Tradeoff(base.Fitness):  # type: ignore[misc]
    """Rank by score (0 is best), cost and size: all are minimised.

    The rank stands for the score, since scores of different rungs can't be compared; dominance
    asks for the order alone.
    """

    weights = (-1.0, -1.0, -1.0)


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
        best_first = sorted(members, key=lambda member: member.rank_key, reverse=True)
        for rank, member in enumerate(best_first):
            price = Price.of(to_expression(member))
            member.fitness = Tradeoff((rank, price.cost, price.size))
        return list(tools.selNSGA2(members, self.settings.population))
