"""The data that the tasks of a campaign train on."""

from __future__ import annotations

import pytest

from evaluators.datasets import Data, Dataset, DatasetUnavailable, load
from search.launching.campaign_tasks import campaign_tasks
from search.settings import Settings


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
