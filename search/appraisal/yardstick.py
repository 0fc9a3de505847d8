"""What an advantage on one task is measured by: the baselines' own results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

# Below this a spread says that the baselines are equal, not that every difference is great.
_LEAST_SPREAD: Final = 1e-3
# Interquartile range of a standard normal distribution.
_QUARTILES_APART: Final = 1.349
# By so many spreads what learns nothing stands below the worst baseline.
_BELOW_ALL: Final = 1.0


@dataclass(frozen=True)
class Best:
    """A function at its own best learning rate.

    Attributes:
        rate: The rate; None for that of the task's recipe.
        score: Minus the mean logarithm of the validation loss; None if it never learnt.
    """

    rate: float | None
    score: float | None


@dataclass(frozen=True)
class Yardstick:
    """By what advantages on one task, at one rung, are measured.

    Attributes:
        reference: Score of the best baseline at its own best rate.
        spread: Of the baselines' scores, each at its own best rate: their interquartile range, in
            standard deviations of a normal distribution with the same.
        lowest: The least advantage that counts. One spread below the worst baseline, it is that of
            a function which diverges too.
        field_rate: Where functions are tried first: the median of the baselines' best rates; None
            where the recipe's is the only one.
    """

    reference: float
    spread: float
    lowest: float
    field_rate: float | None

    @classmethod
    def of(cls, baselines: Sequence[Best]) -> Yardstick:
        """From what the baselines came to.

        Raises:
            ValueError: If none of them learnt anything.
        """
        scores = [best.score for best in baselines if best.score is not None]
        if not scores:
            raise ValueError("no baseline learnt anything")
        low, high = np.quantile(scores, (0.25, 0.75))
        spread = max(float(high - low) / _QUARTILES_APART, _LEAST_SPREAD)
        lowest = (min(scores) - max(scores)) / spread - _BELOW_ALL
        rates = sorted(b.rate for b in baselines if b.rate is not None and b.score is not None)
        return cls(max(scores), spread, lowest, rates[(len(rates) - 1) // 2] if rates else None)

    def advantage(self, score: float | None) -> float:
        """Over the reference, in spreads."""
        if score is None or not math.isfinite(score):
            return self.lowest
        return max((score - self.reference) / self.spread, self.lowest)

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal one."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Yardstick:
        """Restores what `to_json` made of one."""
        return cls(**document)


def combined(
    advantages: Sequence[float], aggregate: str | Mapping[str, float], tasks: Sequence[str]
) -> float:
    """One number for the advantages on several tasks.

    Args:
        advantages: On each task.
        aggregate: "mean", "worst", or weights by task; tasks without one count 1.
        tasks: Their names.
    """
    by_task = weights_of(aggregate, tasks)
    if by_task is None:
        return min(advantages)
    total = math.fsum(w * a for w, a in zip(by_task, advantages, strict=True))
    return total / math.fsum(by_task)


def weights_of(
    aggregate: str | Mapping[str, float], tasks: Sequence[str]
) -> tuple[float, ...] | None:
    """What each task counts; None where the worst of them decides.

    Args:
        aggregate: As for `combined`.
        tasks: Their names.
    """
    if aggregate == "worst":
        return None
    given = {} if isinstance(aggregate, str) else aggregate
    return tuple(given.get(task, 1.0) for task in tasks)
