"""A small real data set and a small task, so that training in tests takes moments."""

from __future__ import annotations

import pytest

from evaluators.datasets import Builtin, Dataset, load
from evaluators.networks import MLP
from evaluators.steps.batches import DeviceData
from evaluators.tasks import Recipe, Task


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The digits that scikit-learn embeds."""
    return load("digits")


@pytest.fixture(scope="session")
def digits_data(digits: Dataset) -> DeviceData:
    """The digits on the device."""
    return DeviceData(digits, batch=32)


@pytest.fixture(scope="session")
def small_task() -> Task:
    """Two narrow hidden layers on the digits."""
    return Task(
        name="small",
        data=Builtin("digits"),
        network=MLP(hidden=(16, 16)),
        recipe=Recipe(batch=32),
        description="for tests",
    )
