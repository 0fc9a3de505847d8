"""What the campaign asks of every strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from grammars import Expression
from search.candidate import Candidate
from search.racing import Standing

Admit = Callable[[Expression], bool]
"""True for a function that has not been considered before; from then on it has been."""


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
