"""Regularized evolution: whoever is old dies, however good it is."""

from __future__ import annotations

from typing import final

from deap import tools

from grammars import Grammar
from search.settings import SearchSettings
from search.strategies.evolution import Evolution
from search.strategies.trees import Individual


@final
class RegularizedEvolution(Evolution):
    """Ageing evolution, as PANGAEA searches (Bingham, Miikkulainen 2022).

    The method is that of Real, Aggarwal, Huang, Le (Regularized Evolution for Image Classifier
    Architecture Search, 2019): the winner of a tournament is mutated, never crossed, and the oldest
    die. So a lucky score counts for a while only, and a function lasts by its descendants. They
    replace one individual at a time, in the order in which results arrive; here age is counted in
    generations, so that this order decides nothing.
    """

    def __init__(self, grammar: Grammar, settings: SearchSettings, *, seed: int) -> None:
        """See `Evolution`."""
        super().__init__(grammar, settings, seed=seed)
        self.crossover_share = 0.0

    def parent(self) -> Individual:
        """The winner of a tournament."""
        (chosen,) = tools.selTournament(self.population, 1, tournsize=self.settings.tournament)
        return chosen  # type: ignore[no-any-return]

    def survivors(self, members: list[Individual]) -> list[Individual]:
        """The young."""
        newest = max((member.born for member in members), default=0)
        return [member for member in members if newest - member.born < self.settings.lifespan]
