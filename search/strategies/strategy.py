"""What the campaign asks of every strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from grammars import Expression
from search.candidate import Candidate
from search.racing import Standing

Admit = Callable[[Expression], bool]
"""True for a function that has not been considered before; from then on it has been."""


@dataclass(frozen=True)
class Vitals:
    """How a strategy is doing.

    Attributes:
        diversity: Mean structural distance within the population, 0 to 1; None without one.
        rates: The probability of each mutation, by its name.
    """

    diversity: float | None = None
    rates: Mapping[str, float] = field(default_factory=dict)


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
