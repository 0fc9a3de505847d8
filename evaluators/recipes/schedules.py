"""The learning rate of every step, and up to where runs of different lengths are the same run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evaluators.recipes.recipe import Recipe


class Span(NamedTuple):
    """Steps that are taken without a look at clock and loss.

    Attributes:
        first: Number of the first of them, counted from 0.
        stop: Number of the first that is not among them.
    """

    first: int
    stop: int


@dataclass(frozen=True)
class Schedule:
    """The learning rates of a run of so many steps.

    "decay" is a trunk at constant rate, from which a run of any length branches off to end in a
    linear decay ("warmup-stable-decay"; Hu and others, MiniCPM, 2024; Hägele and others, Scaling
    Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024). So a run is judged
    after a decay whatever its length, and still is the beginning of every longer one.

    Attributes:
        recipe: Names the schedule.
        steps: Of the run.
        learning_rate: Of the plateau.
    """

    recipe: Recipe
    steps: int
    learning_rate: float

    @property
    def shared(self) -> int:
        """Steps that every longer run takes alike, so that it can go on from their end."""
        match self.recipe.schedule:
            case "constant":
                return self.steps
            case "cosine":
                return 0
        return self.steps - self._decaying

    def rates(self, first: int, count: int) -> np.ndarray:
        """Of the steps from number `first`, counted from 0: [count], float32."""
        number = np.arange(first, first + count, dtype=np.float64)
        factor = np.ones(count)
        match self.recipe.schedule:
            case "cosine":
                factor = 0.5 + 0.5 * np.cos(np.pi * np.minimum(number / self.steps, 1.0))
            case "decay" | "warmup":
                factor = np.clip((self.steps - number) / self._decaying, 0.0, 1.0)
        if self.recipe.schedule == "warmup":
            factor = np.minimum(factor, (number + 1.0) / self.recipe.warmup_steps)
        return (self.learning_rate * factor).astype(np.float32)

    def spans(self, done: int, *, chunk: int) -> Iterator[Span]:
        """The steps from number `done` on, cut at multiples of `chunk` and where a decay begins.

        So it makes no difference from where a run goes on: wherever that is, it looks at clock and
        loss after the same steps.
        """
        stops = {*range(chunk, self.steps, chunk), self.shared, self.steps}
        for stop in sorted(stop for stop in stops if stop > done):
            yield Span(done, stop)
            done = stop

    @property
    def _decaying(self) -> int:
        return max(1, round(self.recipe.decay_share * self.steps))
