"""Who is told how a campaign goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from search.candidates.generation import GenerationSummary
from search.candidates.racing import Standing


class Observer(Protocol):
    """Is told how a campaign goes on; what it does never changes the campaign."""

    def on_progress(self, rung: int, done: int, total: int) -> None:
        """After each evaluation: `done` of `total` on this rung of this generation."""
        ...

    def on_generation(self, summary: GenerationSummary) -> None:
        """After each generation, once it is in the journal."""
        ...

    def on_best(self, standing: Standing) -> None:
        """Whenever the hall of fame has a new leader."""
        ...

    def on_finals(self, task: str, done: int, total: int) -> None:
        """In finals, after each seed: training runs on this task that are done, and may become."""
        ...


class Callbacks:
    """An observer made of two functions."""

    def __init__(
        self,
        on_generation: Callable[[GenerationSummary], None],
        on_best: Callable[[Standing], None],
    ) -> None:
        self.on_generation, self.on_best = on_generation, on_best

    def on_progress(self, rung: int, done: int, total: int) -> None:
        """Not of interest."""

    def on_finals(self, task: str, done: int, total: int) -> None:
        """Not of interest."""
