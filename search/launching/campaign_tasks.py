"""The tasks of a campaign, with their data at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from evaluators.datasets import Dataset
from evaluators.datasets.data import Data
from evaluators.networks import OwnNetwork
from evaluators.tasks import Task, find_task, is_shipped_name
from search.settings import Settings, SettingsError

_NEW: Final[Mapping[str, Task]] = MappingProxyType({})
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class CampaignTask:
    """A task of a campaign.

    Attributes:
        asked: As its file reads now, under the campaign's schedule; of a shipped one that has
            changed since the campaign began, as it was then.
        dataset: That is really used, a fallback included.
        is_of_old: Whether it is such a one.
    """

    asked: Task
    dataset: Dataset
    is_of_old: bool = False

    @property
    def used(self) -> Task:
        """What is really trained."""
        return self.asked.on(self.dataset)

    @property
    def recorded(self) -> Task:
        """What the campaign is known by: a fallback takes no part in that."""
        return self.asked if self.dataset.fallback_for else self.used


def campaign_tasks(
    settings: Settings,
    load: Callable[[Data, str | None], Dataset],
    *,
    begun: Mapping[str, Task] = _NEW,
) -> tuple[CampaignTask, ...]:
    """All tasks of a campaign, the first of which stands wherever one is meant.

    Those of its watch come last.

    Args:
        settings: The campaign's.
        load: Finds data, or those of the fallback that is named.
        begun: The tasks that the campaign was begun with, by the names that its settings had for
            them; empty for a new one. A campaign goes on under the shipped recipes of its time.

    Raises:
        UnknownTaskError, TaskError: If a task cannot be had.
        DatasetUnavailable: If there are no data to train on.
        SettingsError: If functions for single layers would not fit all of the networks.
    """
    named = settings.all_tasks
    now = [_scheduled(find_task(name), settings) for name in named]
    if not begun:
        refuse_namesakes(dict(zip(named, now, strict=True)), where="tasks")
    asked = [_as_begun(name, task, begun) for name, task in zip(named, now, strict=True)]
    objectives = [task.name for task in asked if task.objective is not None]
    if objectives and (settings.scoring.learning_rates or settings.scoring.schedule is not None):
        raise SettingsError(
            f"scoring: {objectives[0]} is an objective of its own, which decides on learning rates "
            "and schedules by itself; leave learning_rates and schedule out"
        )
    uncounted = [t.name for t in asked if isinstance(t.network, OwnNetwork) and not t.network.calls]
    if settings.search.layers != "shared" and uncounted:
        raise SettingsError(
            f"search.layers: {uncounted[0]} does not say how many functions its network takes; "
            "give network.calls, how many times it calls its activation"
        )
    layers = {task.network.hidden_layers for task in asked}
    if settings.search.layers != "shared" and len(layers) > 1:
        depths = ", ".join(f"{task.name} {task.network.hidden_layers}" for task in asked)
        raise SettingsError(
            f"search.layers: functions for single layers need networks of one depth, got {depths}; "
            "leave tasks out, or share one function among all layers"
        )
    # Of several tasks two might fall back on the same data, and count them twice.
    fallback = settings.fallback_dataset if len(asked) == 1 else None
    return tuple(
        CampaignTask(task, load(task.data, fallback), is_of_old=task != shipped)
        for task, shipped in zip(asked, now, strict=True)
    )


def refuse_namesakes(
    tasks: Mapping[str, Task], *, where: str, known: Mapping[str, str] = _NONE
) -> None:
    """What results are kept under is a task's name, by default the stem of its file.

    Args:
        tasks: By what settings call them.
        where: The setting, for the message.
        known: How settings call the tasks that are there already, by their names.

    Raises:
        SettingsError: If two tasks have one name.
    """
    taken = dict(known)
    for asked, task in tasks.items():
        if (other := taken.setdefault(task.name, asked)) != asked:
            raise SettingsError(
                f"{where}: {asked} and {other} are both called {task.name!r}, and results could "
                "not be told apart; give one of them another name"
            )


def _as_begun(name: str, now: Task, begun: Mapping[str, Task]) -> Task:
    """A file of a user's own is never taken from the record: its changes are told instead."""
    before = begun.get(name)
    if before is None or not is_shipped_name(name) or before.digest == now.digest:
        return now
    return before


def _scheduled(task: Task, settings: Settings) -> Task:
    schedule = settings.scoring.schedule
    return (
        task if schedule is None else replace(task, recipe=replace(task.recipe, schedule=schedule))
    )
