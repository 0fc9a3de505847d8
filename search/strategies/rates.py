"""How often each mutation is used: equally, or by what it has achieved."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

# Weight of the newest generation in an operator's estimated success.
MEMORY: Final = 0.2

# No operator falls below this share of an equal share, so that each can prove itself later.
FLOOR: Final = 0.25


class Rates:
    """The probability of each operator.

    When it adapts, an operator's rate follows the share of its children that stand higher than
    their parents: probability matching (Goldberg 1990; Thierens, An Adaptive Pursuit Strategy for
    Allocating Operator Probabilities, 2005).
    """

    def __init__(self, names: Iterable[str], *, adaptive: bool) -> None:
        self._success = dict.fromkeys(names, 1.0)
        self._adaptive = adaptive

    @property
    def probabilities(self) -> dict[str, float]:
        """One for each operator; they add up to 1."""
        count, total = len(self._success), sum(self._success.values())
        if total == 0.0:
            return dict.fromkeys(self._success, 1.0 / count)
        return {
            name: FLOOR / count + (1.0 - FLOOR) * success / total
            for name, success in self._success.items()
        }

    def draw(self, generator: Random) -> str:
        """The name of an operator."""
        rates = self.probabilities
        return generator.choices(list(rates), list(rates.values()))[0]

    def credit(self, children: Iterable[tuple[str, bool]]) -> None:
        """Learns from a generation.

        Args:
            children: For each, the operator that made it and whether it surpassed its parent.
        """
        if not self._adaptive:
            return
        outcomes: dict[str, list[bool]] = {}
        for name, surpassed in children:
            outcomes.setdefault(name, []).append(surpassed)
        for name, surpassing in outcomes.items():
            if name in self._success:
                share = sum(surpassing) / len(surpassing)
                self._success[name] += MEMORY * (share - self._success[name])
