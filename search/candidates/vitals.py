"""How a strategy is doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean


@dataclass(frozen=True)
class Forecasting:
    """What a strategy's model of scores is worth.

    Attributes:
        considered: Distinct functions whose score was expected for the last generation.
        correlation: Spearman's, between what was expected of the functions that were scored last
            and what they came to; None where too few were, or nothing was expected of them.
        is_followed: Whether the next generation is bred on the model; if not, its expectations
            were worse than chance.
    """

    considered: int
    correlation: float | None
    is_followed: bool


@dataclass(frozen=True)
class Vitals:
    """How a strategy is doing.

    Attributes:
        diversity: Mean structural distance within the population, 0 to 1; None without one.
        rates: The probability of each mutation, by its name.
        forecasting: Of a strategy that has a model of scores.
    """

    diversity: float | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    forecasting: Forecasting | None = None

    @classmethod
    def mean(cls, vitals: Sequence[Vitals]) -> Vitals:
        """Of several populations with the same mutations."""
        diversities = [each.diversity for each in vitals if each.diversity is not None]
        return cls(
            diversity=fmean(diversities) if diversities else None,
            rates={name: fmean(each.rates[name] for each in vitals) for name in vitals[0].rates},
        )
