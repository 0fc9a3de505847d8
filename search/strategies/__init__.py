"""What to try next: one strategy a file, behind one ask-and-tell interface."""

from collections.abc import Callable, Mapping
from typing import Final

from search.settings import StrategyName
from search.strategies.exhaustive import Exhaustive
from search.strategies.genetic import Genetic
from search.strategies.nsga2 import NSGA2
from search.strategies.random_sampling import RandomSampling
from search.strategies.regularized_evolution import RegularizedEvolution
from search.strategies.strategy import Admit, Strategy

STRATEGIES: Final[Mapping[StrategyName, Callable[..., Strategy]]] = {
    "genetic": Genetic,
    "regularized_evolution": RegularizedEvolution,
    "nsga2": NSGA2,
    "random": RandomSampling,
    "exhaustive": Exhaustive,
}
"""Every strategy by the name that campaign files use, called with (grammar, settings, seed=...)."""

__all__ = [
    "NSGA2",
    "STRATEGIES",
    "Admit",
    "Exhaustive",
    "Genetic",
    "RandomSampling",
    "RegularizedEvolution",
    "Strategy",
]
