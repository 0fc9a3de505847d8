"""What makes a campaign the one that it is, so that no other goes on in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Final

from pydantic import ValidationError

from evaluators.datasets import Builtin, Dataset, deciding_data
from evaluators.tasks import Task, task_known_by_name
from grammars import Expression, Grammar
from search.dotted import flatten
from search.journal import Journal
from search.settings import FREE_SETTINGS, Settings, SettingsError

_RECORDED_PACKAGES: Final = ("actsearch", "jax", "jaxlib", "optax", "deap", "numpy")


def identify(
    journal: Journal,
    settings: Settings,
    *,
    task: Task,
    grammar: Grammar,
    dataset: Dataset,
    seeds: Sequence[Expression],
    others: Sequence[Task] = (),
    forecast: str | None = None,
    campaign_file: str,
) -> None:
    """Records what the campaign is; if the journal has a record, compares.

    Args:
        journal: The campaign's.
        settings: The campaign's.
        task: As its file reads now.
        grammar: As its file reads now.
        dataset: That is really used.
        seeds: The functions that `start_from` comes to now; another campaign's hall of fame may
            have changed.
        others: Further tasks that candidates are scored on.
        forecast: What forecasts depend on, if there are any.
        campaign_file: Its text.

    Raises:
        SettingsError: If the journal belongs to a campaign that would find other things; the
            message lists what differs.
    """
    identity = _identity(settings, (task, *others), grammar, dataset, seeds, forecast)
    recorded = journal.get("campaign", "settings")
    if recorded is None:
        journal.append("campaign", "settings", {**identity, "campaign_file": campaign_file})
        return
    # Read anew, so that a setting that is younger than the journal has its default there.
    known = recorded_settings(journal).model_dump(mode="json")
    before = _deciding({**recorded, "settings": known})
    now = _deciding(json.loads(json.dumps(identity)))
    differences = [
        f"  {key}: was {before.get(key)!r}, is {now.get(key)!r}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and not _is_more_time(key, before, now)
    ]
    if differences:
        name = identity["settings"]["name"]
        raise SettingsError(
            "\n".join(
                [
                    f"{journal.path.parent} holds a campaign that was begun otherwise:",
                    *differences,
                    "launch it with the old ones, or give the new campaign another name "
                    f"(--set name={name}-2)",
                ]
            )
        )


def _is_more_time(key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether it is time that candidates get from now on; what was evaluated stays as it is."""
    return key == "settings.scoring.timeout_seconds" and now[key] > before[key]


def recorded_settings(journal: Journal) -> Settings:
    """The settings that a campaign was begun with.

    Raises:
        SettingsError: If the journal holds no launch, or one of another version of this program.
    """
    recorded = journal.get("campaign", "settings")
    if recorded is None:
        raise SettingsError(
            f"{journal.path} does not begin with the settings of a campaign; launch it first"
        )
    try:
        return Settings.model_validate(recorded["settings"])
    except ValidationError as error:
        raise SettingsError(
            f"{journal.path} holds settings that this version does not understand ({error}); use "
            "the version of actsearch that wrote them"
        ) from None


def recorded_task(journal: Journal) -> Task:
    """What a campaign really trains, a fallback's data included.

    Raises:
        SettingsError: If the journal holds no launch, or one of another version of this program.
    """
    recorded_settings(journal)
    launched = journal.get("campaign", "settings")
    assert launched is not None
    return launched_task(launched)


def launched_task(launched: Mapping[str, Any]) -> Task:
    """The same, from the record of a launch."""
    task, dataset = _task_of(launched), launched["dataset"]
    return task if dataset["fallback_for"] is None else replace(task, data=Builtin(dataset["name"]))


def _task_of(launched: Mapping[str, Any]) -> Task:
    """As it was asked for; journals of old know it by name."""
    if "task" in launched:
        return Task.from_mapping(launched["task"], what="the task in the journal")
    return task_known_by_name(launched["settings"]["task"])


def _identity(
    settings: Settings,
    tasks: Sequence[Task],
    grammar: Grammar,
    dataset: Dataset,
    seeds: Sequence[Expression],
    forecast: str | None,
) -> dict[str, Any]:
    """All that decides what a campaign finds, and some things that don't."""
    return {
        "settings": settings.model_dump(mode="json"),
        "task": tasks[0].to_mapping(),
        "further_tasks": [task.to_mapping() for task in tasks[1:]],
        "grammar": grammar.model_dump(mode="json"),
        "seeds": [str(seed) for seed in seeds],
        "forecast": forecast,
        "dataset": {
            "name": dataset.name,
            "source": dataset.source,
            "fallback_for": dataset.fallback_for,
        },
        "versions": {package: version(package) for package in _RECORDED_PACKAGES},
    }


def _deciding_task(task: Task) -> dict[str, Any]:
    content = {**task.to_mapping(), "data": deciding_data(task.data)}
    return {key: part for key, part in content.items() if key != "description"}


def _deciding(identity: Mapping[str, Any]) -> dict[str, Any]:
    """What must not change between launches, flattened to dotted keys."""
    settings = {k: v for k, v in identity["settings"].items() if k not in {*FREE_SETTINGS, "task"}}
    further = identity.get("further_tasks", [])
    tasks = [Task.from_mapping(each, what="a task in the journal") for each in further]
    parts = {
        "settings": settings,
        "task": _deciding_task(_task_of(identity)),
        **{f"task {task.name}": _deciding_task(task) for task in tasks},
        "grammar": identity["grammar"],
        "seeds": identity.get("seeds", []),
        "forecast": identity.get("forecast"),
        "dataset": identity["dataset"]["name"],
        "versions": identity["versions"],
    }
    return flatten(parts)
