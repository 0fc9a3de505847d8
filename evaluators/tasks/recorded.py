"""Tasks that records know by name alone, as they were then."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from evaluators.tasks.files import UnknownTaskError, at_rate
from evaluators.tasks.task import Task

# What the names stood for before tasks were files. It stays as it is: a later change of a shipped
# file is told from it.
_FILE: Final = Path(__file__).parent / "known_by_name.json"


def task_known_by_name(name: str) -> Task:
    """The task that a record of old means by a name.

    Args:
        name: Such as "mnist-mlp" or "mnist-mlp@0.003".

    Raises:
        UnknownTaskError: If there never was one of that name.
    """
    plain, at, rate = name.partition("@")
    if plain not in _documents():
        raise UnknownTaskError(
            f"a record names the task {name!r} without saying what it is, and none is known by "
            "that name"
        )
    task = Task.from_mapping({"name": plain, **_documents()[plain]}, what=name)
    return at_rate(task, rate, name=name) if at else task


def is_known_by_name(name: str) -> bool:
    """Whether `task_known_by_name` knows a task of that name."""
    return name.partition("@")[0] in _documents()


def is_as_known_by_name(task: Task) -> bool:
    """Whether a task is what its name meant before the shipped recipes were calibrated.

    Schedules aside, which a campaign may set.
    """
    if not is_known_by_name(task.name):
        return False
    known = task_known_by_name(task.name)
    recipe = replace(task.recipe, schedule=known.recipe.schedule)
    return replace(task, recipe=recipe).digest == known.digest


@cache
def _documents() -> dict[str, Any]:
    documents: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return documents
