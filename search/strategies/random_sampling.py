"""Random sampling: what every other strategy has to beat."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from grammars import Grammar
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Vitals
from search.settings import SearchSettings
from search.strategies.newcomers import newcomer
from search.strategies.strategy import Admit


class RandomSampling:
    """Draws every candidate afresh and learns nothing."""

    def __init__(self, grammar: Grammar, settings: SearchSettings, *, seed: int) -> None:
        self._grammar, self._seed = grammar, seed

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """Draws new functions; see `Strategy.ask`."""
        generator = Random(f"{self._seed}/{generation}")
        candidates: list[Candidate] = []
        while len(candidates) < count:
            expression = newcomer(self._grammar, generator, admit)
            if expression is None:
                break
            candidates.append(Candidate.of(expression, generation=generation))
        return candidates

    def tell(self, standings: Iterable[Standing]) -> None:
        """Nothing to learn; see `Strategy.tell`."""

    @property
    def vitals(self) -> Vitals:
        """There is no population; see `Strategy.vitals`."""
        return Vitals()
