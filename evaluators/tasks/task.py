"""A task as a value: data, network and recipe, with its text and its digest."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

from evaluators.datasets import Data, Dataset, OfObjective, data_section, deciding_data, read_data
from evaluators.networks import (
    AnyNetwork,
    OwnNetwork,
    deciding_network,
    network_section,
    read_network,
)
from evaluators.reading.given_functions import OwnFunction
from evaluators.reading.sections import SectionError, section_of
from evaluators.recipes.recipe import Recipe, deciding_recipe, read_recipe
from evaluators.tasks.objectives import (
    Objective,
    deciding_objective,
    objective_section,
    read_objective,
)

_SECTIONS: Final = ("data", "network", "recipe")
_TEXTS: Final = ("name", "description")
_WITH_MODULES: Final = {"equinox", "flax", "keras", "torch"}
_NETWORKS: Final = (
    "the network of a task is MLP(...) or another kind, flax_network(Model) or "
    "equinox_network(Model) of a class of yours, or a function of an example's shape and the "
    "number of outputs that returns a pair (init, apply)"
)


class TaskError(ValueError):
    """A task that cannot be used; the message lists every problem with its place."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a candidate is tried on. Its content travels to workers, its name is for people.

    Attributes:
        data: What to train on.
        network: Takes the candidate as its activation. Given a function that makes a pure pair,
            such as `flax_network` returns, or what is called like one, it is an `OwnNetwork` of it.
        recipe: How it is trained.
        name: What records call it.
        description: One line for people.
    """

    data: Data
    network: AnyNetwork
    recipe: Recipe = field(default_factory=Recipe)
    name: str = "own-task"
    description: str = ""

    def __post_init__(self) -> None:
        given: Any = self.network
        if not isinstance(given, Objective | OwnNetwork):
            object.__setattr__(self, "network", _network(given))

    @classmethod
    def of_objective(
        cls, objective: Objective, *, name: str = "own-task", description: str = ""
    ) -> Task:
        """A task whose objective says what an activation is worth."""
        return cls(
            data=OfObjective(str(objective.function)),
            # It is asked for the number of its functions, and for nothing else.
            network=cast(AnyNetwork, objective),
            name=name,
            description=description,
        )

    @property
    def objective(self) -> Objective | None:
        """A user's own that takes the place of data, network and recipe; None for others."""
        return self.network if isinstance(self.network, Objective) else None

    @property
    def functions(self) -> tuple[OwnFunction, ...]:
        """The functions of a user's own that a worker runs."""
        own, loss = self.network, self.recipe.loss
        network = (own.function,) if isinstance(own, Objective | OwnNetwork) else ()
        return network if isinstance(loss, str) else (*network, loss)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides on results; neither name nor description does."""
        return hashlib.sha256(json.dumps(self.decides, sort_keys=True).encode()).hexdigest()

    @property
    def decides(self) -> dict[str, Any]:
        """All that decides on results, in JSON's types; where files lie does not."""
        if self.objective is not None:
            return {"objective": deciding_objective(self.objective)}
        return {
            "data": deciding_data(self.data),
            "network": deciding_network(self.network),
            "recipe": deciding_recipe(self.recipe),
        }

    def on(self, dataset: Dataset) -> Task:
        """The task on data as they were loaded: a fallback's, or with their contents' SHA-256.

        Raises:
            TaskError: If recipe and data do not go together.
        """
        if self.objective is None and (problem := _misfit(self.recipe, dataset)):
            raise TaskError(f"the task {self.name!r}: {problem}")
        return self if dataset.data is None else replace(self, data=dataset.data)

    def to_mapping(self) -> dict[str, Any]:
        """A document of JSON's types; `from_mapping` restores an equal task."""
        texts = {"name": self.name, "description": self.description}
        if self.objective is not None:
            return {**texts, "objective": objective_section(self.objective)}
        return {
            **texts,
            "data": data_section(self.data),
            "network": network_section(self.network),
            "recipe": section_of(self.recipe),
        }

    @classmethod
    def from_mapping(
        cls, document: Mapping[str, Any], *, what: str = "the task", folder: Path = Path()
    ) -> Task:
        """Restores a task, or reads one that was written by hand.

        Args:
            document: Tables `data`, `network` and `recipe`, the latter optional as are `name` and
                `description`; or `objective` in place of the tables.
            what: What the document is called in messages.
            folder: Where relative paths begin.

        Raises:
            TaskError: With every problem at once.
        """
        problems: list[tuple[str, str]] = []

        def reading(read: Callable[[], Any]) -> Any:
            try:
                return read()
            except SectionError as error:
                problems.extend(error.problems)
                return None

        if has_objective := "objective" in document:
            sections: tuple[str, ...] = ("objective",)
            objective = reading(lambda: read_objective(document["objective"], folder=folder))
        else:
            sections = _SECTIONS
            data = reading(lambda: read_data(document.get("data"), folder=folder))
            network = reading(lambda: read_network(document.get("network"), folder=folder))
            trained = document.get("recipe", {})
            recipe = reading(lambda: read_recipe(trained, folder=folder))
        texts = {key: document[key] for key in _TEXTS if key in document}
        problems += [(k, f"it must be a text, got {v!r}") for k, v in texts.items() if not _text(v)]
        problems += [
            (str(key), f"unknown; there are {', '.join((*_TEXTS, *sections))}")
            for key in document
            if key not in (*_TEXTS, *sections)
        ]
        if problems:
            raise TaskError(_told(problems, what))
        if has_objective:
            return cls.of_objective(objective, **texts)
        return cls(data=data, network=network, recipe=recipe, **texts)

    def to_json(self) -> str:
        """The document as text."""
        return json.dumps(self.to_mapping(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Restores a task from its text.

        Raises:
            TaskError: If it is none.
        """
        return cls.from_mapping(json.loads(text))


def with_learning_rate(task: Task, learning_rate: float) -> Task:
    """The same task under another learning rate, which its name tells."""
    return replace(
        task,
        name=f"{task.name}@{learning_rate:g}",
        recipe=replace(task.recipe, learning_rate=learning_rate),
        description=f"{task.description}, learning rate {learning_rate:g}",
    )


def _network(given: Any) -> AnyNetwork:
    """What a task was given as its network.

    Raises:
        TaskError: If it is none, nor a function that makes one.
    """
    called = given
    while isinstance(called, functools.partial):
        called = called.func
    if isinstance(called, type):
        raise TaskError(f"{_NETWORKS}, got the class {called.__name__}")
    if {each.__module__.partition(".")[0] for each in type(called).__mro__} & _WITH_MODULES:
        raise TaskError(f"{_NETWORKS}, got a module of the class {type(called).__name__}")
    if callable(given):
        return OwnNetwork(function=cast(OwnFunction, given))
    if not hasattr(given, "hidden_layers"):
        raise TaskError(f"{_NETWORKS}, got {given!r}"[:500])
    return cast(AnyNetwork, given)


def _misfit(recipe: Recipe, dataset: Dataset) -> str | None:
    """What in a recipe cannot be done with data; None if nothing."""
    examples = len(dataset.training.labels)
    if recipe.batch > examples:
        return (
            f"recipe.batch is {recipe.batch}, and there are {examples:,} training examples; make "
            "it smaller"
        )
    if not isinstance(recipe.loss, str):
        return None
    if dataset.classes == 0 and recipe.loss == "cross_entropy":
        return (
            f"the targets of {dataset.name} are numbers, and recipe.loss is 'cross_entropy', which "
            "is for classes; set it to 'squared_error', or data.targets to 'classes'"
        )
    if dataset.classes and recipe.loss == "squared_error":
        return (
            f"the targets of {dataset.name} are {dataset.classes} classes, and recipe.loss is "
            "'squared_error', which is for numbers; set it to 'cross_entropy', or data.targets to "
            "'numbers'"
        )
    return None


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _told(problems: list[tuple[str, str]], what: str) -> str:
    count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
    lines = [f"  {path}: {sentence}" for path, sentence in problems]
    return "\n".join([f"{what} has {count}:", *lines])
