"""The data that the tasks of a campaign train on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.datasets import Data, Dataset, DatasetUnavailable, load
from evaluators.tasks import find_task, write_task
from search.launching.campaign_tasks import campaign_tasks
from search.settings import Settings, SettingsError


def unconnected(data: Data, fallback: str | None) -> Dataset:
    """Loads data as on a machine that has what is embedded, and no MNIST."""
    if data.name != "mnist":
        return load(data)
    if fallback is None:
        raise DatasetUnavailable("mnist cannot be found")
    return load(fallback)


def settings(*tasks: str) -> Settings:
    scoring = {"tasks": tasks} if len(tasks) > 1 else {}
    document = {"name": "one", "task": tasks[0], "fallback_dataset": "digits", "scoring": scoring}
    return Settings.model_validate(document)


def test_the_only_task_may_fall_back() -> None:
    (task,) = campaign_tasks(settings("mnist-mlp"), unconnected)
    assert task.dataset.name == "digits"


def test_one_of_several_tasks_does_not() -> None:
    with pytest.raises(DatasetUnavailable):
        campaign_tasks(settings("digits-mlp", "mnist-mlp"), unconnected)


def test_two_tasks_of_one_name_are_refused_but_where_a_campaign_began_with_them(
    tmp_path: Path,
) -> None:
    task = replace(find_task("digits-mlp"), name="mine")
    files = [str(tmp_path / f"{name}.toml") for name in ("one", "other")]
    for file in files:
        write_task(task, Path(file))
    with pytest.raises(SettingsError, match=r"other\.toml and .*one\.toml are both called 'mine'"):
        campaign_tasks(settings(*files), unconnected)
    begun = dict.fromkeys(files, task)
    assert [
        each.asked.name for each in campaign_tasks(settings(*files), unconnected, begun=begun)
    ] == [
        "mine",
        "mine",
    ]
