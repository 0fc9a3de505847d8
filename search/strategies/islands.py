"""Several populations side by side, whose best migrate now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import final

from grammars import Grammar
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Vitals
from search.settings import SearchSettings
from search.strategies.evolution import Evolution
from search.strategies.starting_points import read_starting_points
from search.strategies.strategy import Admit


@final
class Archipelago:
    """The same strategy on every island, and a ring of migration between them.

    What one island is stuck with another may never have met (Tanese, Distributed Genetic
    Algorithms, 1989; Whitley, Rana, Heckendorn, The Island Model Genetic Algorithm, 1999). Every
    `migration_interval` generations copies of each island's best move to the next island, all at
    the same time. The islands share the memory of what was considered, so no function is proposed
    twice, and they share out the population, the offspring and the starting points.
    """

    def __init__(
        self,
        strategy: Callable[..., Evolution],
        grammar: Grammar,
        settings: SearchSettings,
        *,
        seed: int,
    ) -> None:
        """Settles the islands.

        Raises:
            SettingsError: If a function to start from cannot be had or not be written.
        """
        count = settings.islands
        own = settings.model_copy(
            update={"population": settings.population // count, "start_from": ()}
        )
        points = read_starting_points(settings.start_from, grammar)
        self._islands = [
            strategy(grammar, own, seed=f"{seed}/{number}", starting_points=points[number::count])
            for number in range(count)
        ]
        self._interval, self._migrants = settings.migration_interval, settings.migrants
        self._home: dict[str, int] = {}

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """Asks every island for its share; see `Strategy.ask`."""
        if generation and generation % self._interval == 0:
            self._migrate()
        candidates: list[Candidate] = []
        for number, island in enumerate(self._islands):
            share = count // len(self._islands) + (number < count % len(self._islands))
            asked = island.ask(share, generation=generation, admit=admit)
            self._home.update((candidate.id, number) for candidate in asked)
            candidates += asked
        return candidates

    def tell(self, standings: Iterable[Standing]) -> None:
        """Tells every island of its own; see `Strategy.tell`."""
        told: list[list[Standing]] = [[] for _ in self._islands]
        for standing in standings:
            told[self._home[standing.candidate.id]].append(standing)
        for island, own in zip(self._islands, told, strict=True):
            island.tell(own)

    @property
    def vitals(self) -> Vitals:
        """Means over the islands."""
        return Vitals.mean([island.vitals for island in self._islands])

    @property
    def populations(self) -> list[set[str]]:
        """The candidate ids on each island."""
        return [{member.candidate_id for member in island.population} for island in self._islands]

    def _migrate(self) -> None:
        leaving = [island.best(self._migrants) for island in self._islands]
        for number, migrants in enumerate(leaving):
            self._islands[(number + 1) % len(self._islands)].receive(migrants)
