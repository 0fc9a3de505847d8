"""Every strategy by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from grammars import Grammar
from search.candidates.lesson import Lesson
from search.settings import SearchSettings, StrategyName
from search.strategies.coevolution import Coevolution
from search.strategies.exhaustive import Exhaustive
from search.strategies.genetic import Genetic
from search.strategies.islands import Archipelago
from search.strategies.nsga2 import NSGA2
from search.strategies.random_sampling import RandomSampling
from search.strategies.regularized_evolution import RegularizedEvolution
from search.strategies.shaped import Shaped, shape_of
from search.strategies.strategy import Strategy
from search.strategies.surrogate import Surrogate

STRATEGIES: Final[Mapping[StrategyName, Callable[..., Any]]] = {
    "genetic": Genetic,
    "regularized_evolution": RegularizedEvolution,
    "nsga2": NSGA2,
    "random": RandomSampling,
    "exhaustive": Exhaustive,
    "surrogate": Surrogate,
}
"""By the name that campaign files use, called with (grammar, settings, seed=...)."""


def begin(
    grammar: Grammar,
    settings: SearchSettings,
    *,
    seed: int,
    hidden_layers: int = 1,
    lessons: Sequence[Lesson] = (),
) -> Strategy:
    """The strategy of a campaign, at its beginning.

    Args:
        grammar: What may be written.
        settings: The campaign's.
        seed: Of all that is drawn.
        hidden_layers: Of the task's network; of interest where layers have functions of their own.
        lessons: From earlier campaigns, for a strategy with a model.

    Raises:
        SettingsError: If a function to start from cannot be had or not be written.
    """
    inner = _inner(grammar, settings, seed=seed, hidden_layers=hidden_layers)
    if isinstance(inner, Surrogate):
        inner.remember(lessons)
    shape = shape_of(settings)
    return inner if shape is None else Shaped(inner, shape)


def _inner(
    grammar: Grammar, settings: SearchSettings, *, seed: int, hidden_layers: int
) -> Strategy:
    strategy = STRATEGIES[settings.strategy]
    if (count := settings.functions(hidden_layers)) > 1:
        return Coevolution(strategy, grammar, settings, seed=seed, count=count)
    if settings.islands > 1:
        return Archipelago(strategy, grammar, settings, seed=seed)
    chosen: Strategy = strategy(grammar, settings, seed=seed)
    return chosen
