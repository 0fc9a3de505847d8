"""Exhaustive search: every function of a grammar, the smallest first."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from grammars import Grammar
from grammars.space.enumeration import enumerate_functions
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Vitals
from search.settings import SearchSettings
from search.strategies.strategy import Admit


class Exhaustive:
    """Goes through a grammar by size, distinct functions only; a campaign may end before it does.

    Of a range of constants it knows one value; the choices of a list it goes through.
    """

    def __init__(self, grammar: Grammar, settings: SearchSettings, *, seed: int) -> None:
        self._functions = enumerate_functions(grammar, max_size=grammar.max_size)

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """The next functions; see `Strategy.ask`."""
        new = (expression for expression in self._functions if admit(expression))
        return [
            Candidate.of(expression, generation=generation, variation="enumeration")
            for expression in islice(new, count)
        ]

    def tell(self, standings: Iterable[Standing]) -> None:
        """Nothing to learn; see `Strategy.tell`."""

    @property
    def vitals(self) -> Vitals:
        """There is no population; see `Strategy.vitals`."""
        return Vitals()
