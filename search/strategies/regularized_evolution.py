"""Regularized evolution: whoever is old dies, however good it is."""

from __future__ import annotations

from typing import final

from deap import tools

from search.strategies.evolution import Evolution
from search.strategies.trees import Individual


@final
class RegularizedEvolution(Evolution):
    """Ageing evolution, as PANGAEA searches (Bingham, Miikkulainen 2022).

    The method is that of Real, Aggarwal, Huang, Le (Regularized Evolution for Image Classifier
    Architecture Search, 2019): the winner of a tournament is mutated, never crossed, and the oldest
    dies. So a lucky score counts for a while only, and a function lasts by its descendants. Theirs
    replaces one individual at a time, in the order in which results arrive. Here a few are replaced
    at a time, in the order in which they were asked for, and the campaign asks for the next few
    before these are known: no worker waits, and no order of arrival decides anything.
    """

    crosses = False

    def parent(self) -> Individual:
        """The winner of a tournament."""
        size = min(self.settings.tournament_size, len(self.population))
        (chosen,) = tools.selTournament(self.population, 1, tournsize=size)
        return chosen  # type: ignore[no-any-return]

    def survivors(self, members: list[Individual]) -> list[Individual]:
        """The youngest."""
        by_age = sorted(members, key=lambda member: member.born)
        return by_age[-self.settings.population :]
