"""Makes one child from a population, by crossover or mutation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from grammars import Grammar
from search.strategies.rates import Rates
from search.strategies.trees import Individual, lent_random
from search.strategies.variation import MUTATIONS, crossover


@dataclass(frozen=True)
class Child:
    """What varying parents came to.

    Attributes:
        tree: The child; None if the operator found nothing to do.
        variation: What made it.
        parents: From whom.
    """

    tree: Individual | None
    variation: str
    parents: tuple[Individual, ...]


@dataclass(frozen=True)
class Breeder:
    """Varies trees within a grammar.

    Attributes:
        grammar: What may be written.
        rates: How often each mutation is used.
        crossover_share: Of the children that have two parents.
    """

    grammar: Grammar
    rates: Rates
    crossover_share: float

    def child(self, parent: Callable[[], Individual], generator: Random) -> Child:
        """Breeds one.

        Args:
            parent: Chooses a parent, drawing from the global `random`.
            generator: Decides everything.
        """
        first = _chosen(parent, generator)
        if generator.random() < self.crossover_share:
            second = _chosen(parent, generator)
            tree = crossover(first, second, self.grammar, generator)
            return Child(tree, "crossover", (first, second))
        variation = self.rates.draw(generator)
        return Child(MUTATIONS[variation](first, self.grammar, generator), variation, (first,))


def _chosen(parent: Callable[[], Individual], generator: Random) -> Individual:
    with lent_random(generator):
        return parent()
