"""A task as a value: data, network and recipe, with its text and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from evaluators.datasets import Data, Dataset, data_section, deciding_data, read_data
from evaluators.networks import Network, deciding_network, network_section, read_network
from evaluators.recipes import Recipe
from evaluators.sections import SectionError, deciding, read_section, section_of

_SECTIONS: Final = ("data", "network", "recipe")


class TaskError(ValueError):
    """A task that cannot be used; the message lists every problem with its place."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a candidate is tried on. Its content travels to workers, its name is for people.

    Attributes:
        data: What to train on.
        network: Takes the candidate as its activation.
        recipe: How it is trained.
        name: What records call it.
        description: One line for people.
    """

    data: Data
    network: Network
    recipe: Recipe = field(default_factory=Recipe)
    name: str = "own-task"
    description: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides on results; neither name nor description does."""
        content = {
            "data": deciding_data(self.data),
            "network": deciding_network(self.network),
            "recipe": deciding(self.recipe),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def on(self, dataset: Dataset) -> Task:
        """The task on data as they were loaded: a fallback's, or with their contents' SHA-256."""
        return self if dataset.data is None else replace(self, data=dataset.data)

    def to_mapping(self) -> dict[str, Any]:
        """A document of JSON's types; `from_mapping` restores an equal task."""
        return {
            "name": self.name,
            "description": self.description,
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
                `description`.
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

        data = reading(lambda: read_data(document.get("data"), folder=folder))
        network = reading(lambda: read_network(document.get("network")))
        recipe = reading(lambda: read_section(Recipe, document.get("recipe", {}), place="recipe"))
        texts = {key: document[key] for key in ("name", "description") if key in document}
        problems += [(k, f"it must be a text, got {v!r}") for k, v in texts.items() if not _text(v)]
        problems += [
            (str(key), f"unknown; there are name, description, {', '.join(_SECTIONS)}")
            for key in document.keys() - {*_SECTIONS, "name", "description"}
        ]
        if problems:
            raise TaskError(_told(problems, what))
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


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _told(problems: list[tuple[str, str]], what: str) -> str:
    count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
    lines = [f"  {path}: {sentence}" for path, sentence in problems]
    return "\n".join([f"{what} has {count}:", *lines])
