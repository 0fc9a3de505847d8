"""A function of its own for each layer: populations that evolve by what they achieve together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import final

from grammars import Expression, Grammar, assign, functions_of
from grammars.algebra.layered import layer_names
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Vitals
from search.settings import SearchSettings
from search.strategies.evolution import Evolution
from search.strategies.starting_points import read_starting_points
from search.strategies.strategy import Admit

Team = tuple[str, ...]
"""Expression ids of the functions of a network, from the inputs to the logits."""


@final
class Coevolution:
    """A population for each layer of the network, such as first, middle and last layer.

    Raz Lapid and Moshe Sipper (Evolution of Activation Functions for Deep Learning-Based Image
    Classification, 2022) evolve three populations of functions, for the input layer, the hidden
    layers and the output layer, whose members are judged in networks of one of each. The method is
    cooperative coevolution (Potter, De Jong, A Cooperative Coevolutionary Approach to Function
    Optimization, 1994).

    A candidate is a network: a new function with partners from the other populations, in turn their
    best and random ones. A function is worth what the best of its networks is, which works better
    than what they are worth on average (Wiegand, Liles, De Jong, An Empirical Analysis of
    Collaboration Methods in Cooperative Coevolutionary Algorithms, 2001).

    Deviations from Lapid and Sipper: trees instead of Cartesian genetic programming; any of the
    evolutionary strategies for each population; these are hidden layers only, since the logits
    have no activation; and all populations begin with the same functions, each of which serves in
    all layers at first, so that no founder is judged by partners that chance gave it.
    """

    def __init__(
        self,
        strategy: Callable[..., Evolution],
        grammar: Grammar,
        settings: SearchSettings,
        *,
        seed: int,
        count: int,
    ) -> None:
        """Founds the populations.

        Args:
            strategy: Of each of them.
            grammar: What may be written.
            settings: The campaign's; each population is as large as they say.
            seed: Of all that is drawn.
            count: Layers, or groups of them, with a function of their own.

        Raises:
            SettingsError: If a function to start from cannot be had or not be written.
        """
        self._layers, self._seed = layer_names(count), seed
        # The first population has them for all: they serve in all layers alike.
        points = read_starting_points(settings.start_from, grammar)
        self._populations = [
            strategy(
                grammar, settings, seed=f"{seed}/{layer}", starting_points=() if number else points
            )
            for number, layer in enumerate(self._layers)
        ]
        # Of every function by its id, for each layer: itself, and the best network it was in.
        self._functions: list[dict[str, Candidate]] = [{} for _ in self._layers]
        self._achieved: list[dict[str, Standing]] = [{} for _ in self._layers]
        self._teams: dict[str, Team] = {}

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """Makes networks; see `Strategy.ask`."""
        first, everywhere = self._populations[0], self._admitting_everywhere(admit)
        if not first.population:
            founders = first.ask(count, generation=generation, admit=everywhere)
            return self._alike(founders, generation)
        given = first.given(count, generation=generation, admit=everywhere)
        networks = self._alike(given, generation)
        count -= len(networks)
        generator = Random(f"{self._seed}/{generation}/partners")
        for layer, population in enumerate(self._populations):
            functions = population.ask(
                self._share(layer, count, generation),
                generation=generation,
                admit=partial(admit, layer=layer),
            )
            self._functions[layer].update((function.id, function) for function in functions)
            for number, function in enumerate(functions):
                team = self._partners(generator if number % 2 else None)
                team[layer] = function
                variation = f"{function.variation} ({self._layers[layer]})"
                networks.append(self._network(team, variation, generation))
        return networks

    def tell(self, standings: Iterable[Standing]) -> None:
        """Tells every population what its functions have achieved; see `Strategy.tell`."""
        told = list(standings)
        for layer, population in enumerate(self._populations):
            achieved, improved = self._achieved[layer], {}
            for standing in told:
                member = self._teams[standing.candidate.id][layer]
                best = achieved.get(member)
                if best is None or _order(standing) > _order(best):
                    achieved[member] = improved[member] = standing
            population.tell(
                Standing(self._functions[layer][member], standing.rung, standing.evaluation)
                for member, standing in improved.items()
            )

    @property
    def vitals(self) -> Vitals:
        """Means over the populations."""
        return Vitals.mean([population.vitals for population in self._populations])

    def _share(self, layer: int, count: int, generation: int) -> int:
        """How many of a generation are for a layer; of fewer than there are layers, in turn."""
        layers = len(self._layers)
        turn = layer if count >= layers else (layer - generation * count) % layers
        return count // layers + (turn < count % layers)

    def _admitting_everywhere(self, admit: Admit) -> Admit:
        """Admits what is new to every layer."""
        others = range(1, len(self._layers))

        def everywhere(expression: Expression, /, *, layer: int = 0) -> bool:
            return admit(expression) and all(admit(expression, layer=other) for other in others)

        return everywhere

    def _alike(self, founders: Sequence[Candidate], generation: int) -> list[Candidate]:
        """Networks of one function in all layers, each of them a member of every population."""
        for functions in self._functions:
            functions.update((founder.id, founder) for founder in founders)
        alike = [[founder] * len(self._layers) for founder in founders]
        return [self._network(team, team[0].variation, generation) for team in alike]

    def _partners(self, generator: Random | None) -> list[Candidate]:
        """One of each population: the best, or with a generator a random one."""
        chosen = []
        for population, functions in zip(self._populations, self._functions, strict=True):
            ranking = population.best(len(population.population))
            individual = ranking[0] if generator is None else generator.choice(ranking)
            chosen.append(functions[individual.candidate_id])
        return chosen

    def _network(self, team: Sequence[Candidate], variation: str, generation: int) -> Candidate:
        """The candidate whose layers have these functions, with the networks that they are from."""
        functions = [f for function in team for f in functions_of(function.expression)]
        network = Candidate.of(
            assign(functions),
            generation=generation,
            parents=tuple(dict.fromkeys(self._ancestors(team))),
            variation=variation,
        )
        self._teams[network.id] = tuple(function.id for function in team)
        return network

    def _ancestors(self, team: Sequence[Candidate]) -> Iterator[str]:
        """Ids of the best networks of the functions that a team is made of, or made from."""
        for achieved, function in zip(self._achieved, team, strict=True):
            for source in (function.id, *function.parents):
                if source in achieved:
                    yield achieved[source].candidate.id


def _order(standing: Standing) -> tuple[tuple[int, float], str]:
    """Best last; of equals always the same, whatever the order in which they were told."""
    return standing.rank_key, standing.candidate.id
