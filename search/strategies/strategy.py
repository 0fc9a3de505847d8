"""What the campaign asks of every strategy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from grammars import Expression
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Vitals


class Admit(Protocol):
    """Decides whether a function is new to a search."""

    def __call__(self, expression: Expression, /, *, layer: int = 0) -> bool:
        """True for what has not been considered for that layer before; from then on it has been."""
        ...


class Strategy(Protocol):
    """Proposes candidates and learns how they stand. Deterministic from its seed."""

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """Proposes up to `count` candidates whose functions are new.

        Fewer come back only if the strategy finds no more new functions.
        """
        ...

    def tell(self, standings: Iterable[Standing]) -> None:
        """Takes in every candidate whose standing is new or has changed, scored ones only."""
        ...

    @property
    def vitals(self) -> Vitals:
        """How it is doing."""
        ...


@runtime_checkable
class Learner(Protocol):
    """A strategy that learns from functions which it did not propose, such as baselines."""

    def learn(self, standings: Iterable[Standing]) -> None:
        """Takes them in."""
        ...
