"""Genetic programming: mu + lambda, tournaments with parsimony, DEAP's variation operators."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import partial
from typing import Any, Final

from deap import gp, tools

from grammars import Expression, Grammar
from search.candidate import Candidate
from search.racing import Standing
from search.settings import SearchSettings
from search.strategies.strategy import Admit
from search.strategies.trees import (
    Individual,
    lent_random,
    primitive_set,
    to_expression,
    to_tree,
)

# A child that breaks a rule of the grammar, or that is known, is drawn again this often before
# its place goes to a random one.
ATTEMPTS: Final = 40

_INITIAL_DEPTH: Final = (1, 4)
_SUBTREE_DEPTH: Final = (0, 2)


class Genetic:
    """The classic of Koza (Genetic Programming, 1992), as a steady source of candidates.

    The population is the best `population` individuals ever told (mu + lambda, so the best is
    never lost). Parents are chosen by double tournament: fitness first, then a mild preference
    for the smaller tree (Luke, Panait, Fighting Bloat with Nonparametric Parsimony Pressure, 2002).
    """

    def __init__(self, grammar: Grammar, settings: SearchSettings, *, seed: int) -> None:
        self._grammar, self._settings, self._seed = grammar, settings, seed
        self._nodes = primitive_set(grammar)
        self._asked: dict[str, Individual] = {}
        self._population: list[Individual] = []
        self._mutations: dict[str, Callable[[Individual], Any]] = {
            "subtree mutation": partial(gp.mutUniform, expr=self._subtree, pset=self._nodes),
            "point mutation": partial(gp.mutNodeReplacement, pset=self._nodes),
            "insertion": partial(gp.mutInsert, pset=self._nodes),
            "shrinking": gp.mutShrink,
            "constant mutation": partial(gp.mutEphemeral, mode="one"),
        }

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """Makes a generation; see `Strategy.ask`."""
        # A generator for each generation: what one draws does not shift the next.
        generator = random.Random(f"{self._seed}/{generation}")
        candidates = []
        with lent_random(generator):
            for place in range(count):
                newcomer = not self._population or place < self._settings.immigrants * count
                child = (None if newcomer else self._offspring(admit)) or self._random(admit)
                if child is None:
                    break
                individual, variation, parents = child
                candidate = Candidate.of(
                    to_expression(individual),
                    generation=generation,
                    parents=parents,
                    variation=variation,
                )
                individual.candidate_id = candidate.id
                self._asked[candidate.id] = individual
                candidates.append(candidate)
        return candidates

    def tell(self, standings: Iterable[Standing]) -> None:
        """Gives individuals their fitness and keeps the best; see `Strategy.tell`."""
        members = {individual.candidate_id: individual for individual in self._population}
        for standing in standings:
            identity = standing.candidate.id
            # What climbs later than it was asked for may have left the population meanwhile.
            individual = self._asked.get(identity) or to_tree(
                standing.candidate.expression, self._nodes
            )
            individual.candidate_id = identity
            individual.fitness.values = standing.rank_key
            members[identity] = individual
        # Sorted by id first, so that equals keep an order that nothing else decides.
        ordered = sorted(members.values(), key=lambda individual: individual.candidate_id)
        self._population = tools.selBest(ordered, self._settings.population)
        self._asked = {individual.candidate_id: individual for individual in self._population}

    def _offspring(self, admit: Admit) -> tuple[Individual, str, tuple[str, ...]] | None:
        parents: tuple[str, ...]
        for _ in range(ATTEMPTS):
            if random.random() < self._settings.crossover:
                first, second = self._parents(2)
                child, _ = cross(deepcopy(first), deepcopy(second))
                variation, parents = "crossover", (first.candidate_id, second.candidate_id)
            else:
                (parent,) = self._parents(1)
                variation = random.choice(list(self._mutations))
                (child,) = self._mutations[variation](deepcopy(parent))
                parents = (parent.candidate_id,)
            if self._admissible(to_expression(child), admit):
                return Individual(child), variation, parents
        return None

    def _parents(self, count: int) -> list[Individual]:
        chosen: list[Individual] = tools.selDoubleTournament(
            self._population,
            count,
            fitness_size=min(self._settings.tournament, len(self._population)),
            parsimony_size=self._settings.parsimony,
            fitness_first=True,
        )
        return chosen

    def _random(self, admit: Admit) -> tuple[Individual, str, tuple[str, ...]] | None:
        for attempt in range(10 * ATTEMPTS):
            # Half of them full, half grown (Koza's ramped half-and-half).
            expression = self._grammar.sample(
                random.Random(random.getrandbits(64)),
                depth=_INITIAL_DEPTH,
                method="full" if attempt % 2 else "grow",
            )
            if self._admissible(expression, admit):
                return to_tree(expression, self._nodes), "random", ()
        return None

    def _admissible(self, expression: Expression, admit: Admit) -> bool:
        return self._grammar.violation(expression) is None and admit(expression)

    def _subtree(self, pset: gp.PrimitiveSetTyped, type_: type) -> list[Any]:
        """A random subtree for an operand of the given type, as DEAP's mutation asks for it."""
        terminals = pset.terminals[type_]
        if not pset.primitives[type_]:
            terminal = random.choice(terminals)
            return [terminal() if isinstance(terminal, type) else terminal]
        generator = random.Random(random.getrandbits(64))
        return list(to_tree(self._grammar.sample(generator, depth=_SUBTREE_DEPTH), pset))


def cross(first: Individual, second: Individual) -> tuple[Individual, Individual]:
    """Swaps two subtrees of equal type, in place.

    In place of `gp.cxOnePoint`, which draws the type from a set ordered by memory address, so that
    one seed would give different campaigns.
    """
    index = random.randrange(len(first))
    wanted = first[index].ret
    matching = [number for number, node in enumerate(second) if node.ret is wanted]
    if matching:
        other = random.choice(matching)
        here, there = first.searchSubtree(index), second.searchSubtree(other)
        first[here], second[there] = second[there], first[here]
    return first, second
