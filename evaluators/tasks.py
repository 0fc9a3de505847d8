"""Named triples of data set, network and recipe: what a candidate is tried on."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from evaluators.networks import CNN, MLP, Network


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, the same for every candidate.

    Attributes:
        learning_rate: Of Adam (Kingma, Ba 2015), constant, so that a short run is the beginning of
            a long one.
        batch: Examples a step.
    """

    learning_rate: float = 1e-3
    batch: int = 128


@dataclass(frozen=True)
class Task:
    """What a candidate is tried on.

    Attributes:
        name: What campaign files say.
        dataset: Name of the data set.
        network: Takes the candidate as its activation.
        recipe: How it is trained.
        description: One line for people.
    """

    name: str
    dataset: str
    network: Network
    recipe: Recipe
    description: str


_PERCEPTRON: Final = MLP(width=128, hidden_layers=2)
# Narrow and deep: what loses a little of the signal in every layer has nothing left at the end.
_DEEP: Final = MLP(width=64, hidden_layers=8, initialiser="gain")
_CONVOLUTIONAL: Final = CNN(first_channels=8, hidden_layers=2, initialiser="gain")

_TASKS: Final = (
    Task(
        "mnist-mlp",
        "mnist",
        _PERCEPTRON,
        Recipe(),
        "MNIST with a 784-128-128-10 perceptron",
    ),
    Task(
        "mnist-deep",
        "mnist",
        _DEEP,
        Recipe(),
        "MNIST with 8 hidden layers of 64 units: bad activations cannot hide",
    ),
    Task(
        "mnist-cnn",
        "mnist",
        _CONVOLUTIONAL,
        Recipe(),
        "MNIST with two convolutions, of 8 and 32 channels",
    ),
    Task(
        "fashion-mlp",
        "fashion_mnist",
        _PERCEPTRON,
        Recipe(),
        "Fashion-MNIST with a 784-128-128-10 perceptron",
    ),
    Task(
        "fashion-deep",
        "fashion_mnist",
        _DEEP,
        Recipe(),
        "Fashion-MNIST with 8 hidden layers of 64 units",
    ),
    Task(
        "fashion-cnn",
        "fashion_mnist",
        _CONVOLUTIONAL,
        Recipe(),
        "Fashion-MNIST with two convolutions, of 8 and 32 channels",
    ),
    Task(
        "digits-mlp",
        "digits",
        MLP(width=64, hidden_layers=2),
        Recipe(batch=64),
        "scikit-learn's 8 x 8 digits with a 64-64-64-10 perceptron; needs no network",
    ),
    Task(
        "mnist1d-mlp",
        "mnist1d",
        MLP(width=64, hidden_layers=2, initialiser="gain"),
        Recipe(batch=64),
        "MNIST-1D, generated signals of 40 points, with a 40-64-64-10 perceptron; needs no network",
    ),
)

TASKS: Final[Mapping[str, Task]] = {task.name: task for task in _TASKS}


class UnknownTaskError(ValueError):
    """No task of that name; the message lists those there are."""


def find_task(name: str) -> Task:
    """The task of that name; "mnist-mlp@0.003" is mnist-mlp under another learning rate.

    Raises:
        UnknownTaskError: If there is none; the message names the nearest one and all others.
    """
    if name in TASKS:
        return TASKS[name]
    plain, at, rate = name.partition("@")
    if at:
        return with_learning_rate(find_task(plain), _rate(rate, name))
    near = difflib.get_close_matches(name, TASKS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownTaskError(f"unknown task {name!r}; {hint}there are: {', '.join(TASKS)}")


def with_learning_rate(task: Task, learning_rate: float) -> Task:
    """The same task under another learning rate, which its name tells."""
    return replace(
        task,
        name=f"{task.name}@{learning_rate:g}",
        recipe=replace(task.recipe, learning_rate=learning_rate),
        description=f"{task.description}, learning rate {learning_rate:g}",
    )


def _rate(text: str, name: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.0 < rate < math.inf:
        raise UnknownTaskError(
            f"unknown task {name!r}: after the @ stands a learning rate above 0, such as 0.003"
        )
    return rate
