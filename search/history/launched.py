"""What the record of a launch says of the campaign, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from evaluators.datasets import Builtin
from evaluators.tasks import Task, task_known_by_name
from search.history.events import Begun
from search.history.fold import LaunchRecord
from search.settings import Settings, SettingsError


def understood(settings: Mapping[str, Any]) -> Settings:
    """Settings as a journal holds them, checked; those that are younger have their defaults.

    Raises:
        SettingsError: If another version of this program wrote them.
    """
    try:
        return Settings.model_validate(settings)
    except ValidationError as error:
        raise SettingsError(
            f"the journal holds settings that this version does not understand ({error}); use "
            "the version of actsearch that wrote them"
        ) from None


def asked_task(launch: Begun | LaunchRecord) -> Task:
    """As it was asked for; journals of old know it by name."""
    if launch.task is not None:
        return Task.from_mapping(launch.task, what="the task in the journal")
    return task_known_by_name(launch.settings["task"])


def launched_task(launch: Begun | LaunchRecord) -> Task:
    """What a campaign really trains, a fallback's data included."""
    task, dataset = asked_task(launch), launch.dataset
    return task if dataset.fallback_for is None else replace(task, data=Builtin(dataset.name))


def trained_tasks(begun: Begun) -> dict[str, Task]:
    """What a campaign really trains, by the names in its settings; the first is `launched_task`."""
    tasks = tasks_begun_with(begun)
    return {**tasks, next(iter(tasks)): launched_task(begun)}


def tasks_begun_with(begun: Begun) -> dict[str, Task]:
    """The tasks of a campaign as they were when it began, by the names in its settings."""
    tasks = [asked_task(begun), *(Task.from_mapping(each) for each in begun.further_tasks)]
    settings = begun.settings
    names = [
        *(settings.get("scoring", {}).get("tasks") or [settings["task"]]),
        *((settings.get("watch") or {}).get("tasks", [])),
    ]
    return dict(zip(names, tasks, strict=True))
