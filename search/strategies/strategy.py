"""What the campaign asks of every strategy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol

from grammars import Expression
from search.candidate import Candidate
from search.racing import Standing


class Admit(Protocol):
    """Decides whether a function is new to a search."""

    def __call__(self, expression: Expression, /, *, place: int = 0) -> bool:
        """True for what has not been considered in that place before; from then on it has been."""
        ...


@dataclass(frozen=True)
class Vitals:
    """How a strategy is doing.

    Attributes:
        diversity: Mean structural distance within the population, 0 to 1; None without one.
        rates: The probability of each mutation, by its name.
    """

    diversity: float | None = None
    rates: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def mean(cls, vitals: Sequence[Vitals]) -> Vitals:
        """Of several populations with the same mutations."""
        diversities = [each.diversity for each in vitals if each.diversity is not None]
        return cls(
            diversity=fmean(diversities) if diversities else None,
            rates={name: fmean(each.rates[name] for each in vitals) for name in vitals[0].rates},
        )


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
