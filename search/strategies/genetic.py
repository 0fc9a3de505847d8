"""Genetic programming: mu + lambda, tournaments with parsimony."""

from __future__ import annotations

from typing import final

from deap import tools

from search.strategies.evolution import Evolution
from search.strategies.trees import Individual


@final
class Genetic(Evolution):
    """The classic of Koza (Genetic Programming, 1992), as a steady source of candidates.

    The population is the best `population` individuals ever told (mu + lambda, so the best is
    never lost). Parents are chosen by double tournament: fitness first, then a mild preference
    for the smaller tree (Luke, Panait, Fighting Bloat with Nonparametric Parsimony Pressure, 2002).
    """

    def parent(self) -> Individual:
        """The winner of a double tournament."""
        (chosen,) = tools.selDoubleTournament(
            self.population,
            1,
            fitness_size=min(self.settings.tournament_size, len(self.population)),
            parsimony_size=self.settings.parsimony,
            fitness_first=True,
        )
        return chosen  # type: ignore[no-any-return]

    def survivors(self, members: list[Individual]) -> list[Individual]:
        """The best."""
        return list(tools.selBest(members, self.settings.population))
