"""An evolution within a generation: it breeds functions by the thousand and trains none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

import numpy as np
from deap import tools

from evaluators.probing.survey import Survey
from grammars import Expression
from search.settings import SearchSettings
from search.strategies.breeding import Breeder
from search.strategies.score_model import ScoreModel
from search.strategies.trees import Fitness, Individual, to_expression, to_tree

_ELITE: Final = 250
_BROOD: Final = 150
_TOURNAMENT: Final = 4
# Shapes that agree to so many digits are one function's.
_DIGITS: Final = 6


@dataclass(frozen=True)
class Expectation:
    """A function that was bred, and what is expected of it.

    Attributes:
        expression: The function.
        shape: See `evaluators.probing.shapes` [features].
        mean: Of the model; see `Expected`.
        appeal: What it was bred for: the mean and a share of the spread.
        ancestors: Ids of the trained functions that it descends from, two at the most.
    """

    expression: Expression
    shape: np.ndarray
    mean: float
    appeal: float
    ancestors: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """A trained function to breed from.

    Attributes:
        candidate_id: Its id.
        expression: The function.
        shape: See `evaluators.probing.shapes` [features].
    """

    candidate_id: str
    expression: Expression
    shape: np.ndarray


class InnerEvolution:
    """Maximises what a model expects, over functions that it has not been taught.

    Genetic programming as in `Genetic`: a steady elite, double tournaments, crossover and mutation
    within the grammar. Optimism in the face of uncertainty decides on what to breed for: the upper
    confidence bound of the model's trees (Srinivas, Krause, Kakade, Seeger 2010; the spread of a
    forest as its uncertainty: Hutter, Hoos, Leyton-Brown 2011).
    """

    def __init__(
        self,
        model: ScoreModel,
        survey: Survey,
        breeder: Breeder,
        settings: SearchSettings,
        *,
        known: Iterable[bytes],
    ) -> None:
        """Nothing is bred yet.

        Args:
            model: What is maximised.
            survey: Probes what is bred, and takes its shape.
            breeder: Varies.
            settings: Of the search.
            known: Keys of the functions that are not looked for, origins among them; see `key_of`.
        """
        self._model, self._survey, self._breeder, self._settings = model, survey, breeder, settings
        self._found: dict[bytes, Expectation] = {}
        self._known = set(known)

    def run(
        self, origins: Sequence[Origin], strangers: Sequence[Expression], generator: Random
    ) -> list[Expectation]:
        """Breeds until as many distinct functions were considered as the settings ask for.

        Args:
            origins: Trained functions; they breed, and are not among what is returned.
            strangers: Random functions to begin with beside them.
            generator: Decides everything.

        Returns:
            Every distinct new function that passed the probes, the most appealing first.
        """
        elite = self._entered([to_tree(s, self._breeder.grammar) for s in strangers])
        elite = self._selected([*self._trained(origins), *elite])
        for _ in range(-(-self._settings.brood // _BROOD)):
            parent = partial(self._parent, elite)
            children = [self._breeder.child(parent, generator) for _ in range(_BROOD)]
            brood = []
            for child in children:
                if child.tree is not None:
                    child.tree.ancestors = _joined(child.parents)
                    brood.append(child.tree)
            elite = self._selected([*elite, *self._entered(brood)])
        return sorted(
            self._found.values(), key=lambda found: (-found.appeal, found.expression.size)
        )

    def _parent(self, elite: list[Individual]) -> Individual:
        (chosen,) = tools.selDoubleTournament(
            elite,
            1,
            fitness_size=min(_TOURNAMENT, len(elite)),
            parsimony_size=self._settings.parsimony,
            fitness_first=True,
        )
        return chosen  # type: ignore[no-any-return]

    def _selected(self, members: list[Individual]) -> list[Individual]:
        return list(tools.selBest(members, _ELITE))

    def _trained(self, origins: Sequence[Origin]) -> list[Individual]:
        """What was trained, by what the model makes of it: a lucky score counts for less.

        As many as the elite can hold at most: a tree of each of the others would be made in vain.
        """
        appeals = [appeal for _, appeal in self._appeals([origin.shape for origin in origins])]
        order = sorted(range(len(origins)), key=appeals.__getitem__, reverse=True)
        trees = []
        for number in order[:_ELITE]:
            tree = to_tree(origins[number].expression, self._breeder.grammar)
            tree.ancestors = (origins[number].candidate_id,)
            tree.fitness = Fitness((0.0, appeals[number]))
            trees.append(tree)
        return trees

    def _entered(self, brood: Sequence[Individual]) -> list[Individual]:
        """Those that are new and pass the probes, with their appeal as fitness."""
        if not brood:
            return []
        expressions = [to_expression(tree) for tree in brood]
        surveyed = self._survey(expressions)
        new: dict[bytes, int] = {}
        for number in np.flatnonzero(surveyed.fit).tolist():
            key = key_of(surveyed.shapes[number])
            if key not in self._known:
                self._known.add(key)
                new[key] = number
        appeals = self._appeals([surveyed.shapes[number] for number in new.values()])
        for (key, number), (mean, appeal) in zip(new.items(), appeals, strict=True):
            tree = brood[number]
            tree.fitness = Fitness((0.0, appeal))
            self._found[key] = Expectation(
                expressions[number], surveyed.shapes[number], mean, appeal, tree.ancestors
            )
        return [brood[number] for number in new.values()]

    def _appeals(self, shapes: Sequence[np.ndarray]) -> list[tuple[float, float]]:
        """Mean and appeal of each shape."""
        if not shapes:
            return []
        expected = self._model.expected(np.stack(shapes))
        appeals = expected.mean + self._settings.optimism * expected.spread
        return list(zip(expected.mean.tolist(), appeals.tolist(), strict=True))


def _joined(parents: Sequence[Individual]) -> tuple[str, ...]:
    """Of one parent its ancestors, of two the nearest of each."""
    if len(parents) == 1:
        return parents[0].ancestors
    return tuple(dict.fromkeys(name for parent in parents for name in parent.ancestors[:1]))


def key_of(shape: np.ndarray) -> bytes:
    """Equal for shapes of one function."""
    # Adding 0 makes one number of 0 and -0.
    return (np.round(shape, _DIGITS) + 0.0).tobytes()
