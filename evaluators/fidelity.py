"""How much one evaluation may spend."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The budget of an evaluation.

    Attributes:
        steps: Optimiser steps of each training run.
        seeds: One training run for each; a seed fixes the initial weights and the order of the
            data, so that all candidates meet the same luck (common random numbers).
    """

    steps: int
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds must be distinct and at least one, got {self.seeds}")
        if not all(0 <= seed < 2**31 for seed in self.seeds):
            raise ValueError(f"a seed lies between 0 and 2147483647, got {self.seeds}")

    def __str__(self) -> str:
        count = len(self.seeds)
        return f"{self.steps} steps x {count} seed{'' if count == 1 else 's'}"
