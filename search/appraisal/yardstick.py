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
# Up to so many spreads advantages count in full, and beyond they grow like a logarithm: no task
# drowns another, and yet what is far behind keeps its order. Most functions of a young search are
# worse than all baselines, and to breed from them their order is needed.
_BEND: Final = 12.0
# About so far behind is what learns nothing, on the shipped tasks; what diverges is no worse.
_HOPELESS: Final = -50.0


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
        lowest: The least advantage, that of a function which diverges or learns nothing.
        bend: Spreads beyond which advantages grow like a logarithm only; None in campaigns of
            before, in which whatever is worse than `lowest` counts as that.
        field_rate: Where functions are tried first: the median of the baselines' best rates; None
            where the recipe's is the only one.
    """

    reference: float
    spread: float
    lowest: float
    field_rate: float | None
    bend: float | None = None

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
        rates = sorted(b.rate for b in baselines if b.rate is not None and b.score is not None)
        field_rate = rates[(len(rates) - 1) // 2] if rates else None
        return cls(max(scores), spread, _bent(_HOPELESS, _BEND), field_rate, _BEND)

    def advantage(self, score: float | None) -> float:
        """Over the reference, in spreads; those beyond `bend` count less."""
        if score is None or not math.isfinite(score):
            return self.lowest
        ahead = (score - self.reference) / self.spread
        return max(ahead if self.bend is None else _bent(ahead, self.bend), self.lowest)

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal one."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Yardstick:
        """Restores what `to_json` made of one."""
        return cls(**document)


def _bent(value: float, bend: float) -> float:
    """The same up to `bend` on either side, and beyond it a logarithm with the same slope there."""
    if abs(value) <= bend:
        return value
    return math.copysign(bend * (1.0 + math.log(abs(value) / bend)), value)


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
