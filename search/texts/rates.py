"""What is said of learning rates, where functions have any of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluators.evaluation.evaluation import OnTask


def has_rates(tasks: Iterable[OnTask]) -> bool:
    """Whether a function was tried at several learning rates on any of the tasks."""
    return any(each.learning_rate is not None for each in tasks)


def rates_words(tasks: Iterable[OnTask]) -> str:
    """How functions meet on tasks, to follow their names in a sentence; "" without own rates."""
    return ", each function at its own best learning rate" if has_rates(tasks) else ""
