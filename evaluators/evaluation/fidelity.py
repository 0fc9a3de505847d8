"""What one evaluation is granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The budget of an evaluation.

    Attributes:
        steps: Optimiser steps of each training run.
        seeds: One training run for each; a seed fixes the initial weights and the order of the
            data, so that all candidates meet the same luck (common random numbers).
        learning_rate: Of the schedule's plateau; None for that of the task's recipe.
        task: Number of the task, where a campaign has several.
    """

    steps: int
    seeds: tuple[int, ...]
    learning_rate: float | None = None
    task: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds must be distinct and at least one, got {self.seeds}")
        if not all(0 <= seed < 2**31 for seed in self.seeds):
            raise ValueError(f"a seed lies between 0 and 2147483647, got {self.seeds}")

    @property
    def budget(self) -> tuple[int, tuple[int, ...]]:
        """Steps and seeds alone."""
        return self.steps, self.seeds

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal fidelity."""
        document: dict[str, Any] = {"steps": self.steps, "seeds": list(self.seeds)}
        if self.learning_rate is not None:
            document["learning_rate"] = self.learning_rate
        return document | ({"task": self.task} if self.task else {})

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Fidelity:
        """Restores what `to_json` made of one."""
        rate, task = document.get("learning_rate"), document.get("task", 0)
        return cls(int(document["steps"]), tuple(document["seeds"]), rate, task)

    def __str__(self) -> str:
        count = len(self.seeds)
        return f"{self.steps} steps x {count} seed{'' if count == 1 else 's'}"
