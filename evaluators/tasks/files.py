"""Tasks as TOML files: those shipped with the package, and those of users."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from evaluators.recipes.recipe import GREATEST_RATE
from evaluators.tasks.task import Task, TaskError, with_learning_rate
from grammars.reading.toml_files import TomlError, read_toml

_FOLDER: Final = Path(__file__).parent / "shipped"


class UnknownTaskError(TaskError):
    """No task of that name; the message lists those there are."""


@cache
def task_names() -> tuple[str, ...]:
    """Names of the shipped tasks, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def shipped_tasks() -> Mapping[str, Task]:
    """The shipped tasks by name."""
    return {name: _read(_FOLDER / f"{name}.toml") for name in task_names()}


def is_shipped_name(name: str) -> bool:
    """Whether a shipped task is meant, with or without a learning rate after an "@"."""
    return name.partition("@")[0] in task_names()


def task_title(name: str, dataset: str) -> str:
    """A task's name, with the data set that took the place of the one that it stands for.

    Args:
        name: Of any task; one of a user's own stands for whatever its data are.
        dataset: Name of the data set that was really used.
    """
    is_usual = not is_shipped_name(name) or find_task(name).data.name == dataset
    return name if is_usual else f"{name} on {dataset}"


def find_task(name_or_path: str) -> Task:
    """The shipped task of that name, or that of a file; "mnist-mlp@0.003" has another rate.

    Args:
        name_or_path: The name of a shipped task or the path of a file that ends in `.toml`, with
            or without a learning rate after an "@".

    Raises:
        UnknownTaskError: If there is none; the message names the nearest one and all others.
        TaskError: With every problem of the file at once.
    """
    if name_or_path in task_names():
        return shipped_tasks()[name_or_path]
    if name_or_path.endswith(".toml"):
        return _read(Path(name_or_path))
    plain, at, rate = name_or_path.rpartition("@")
    if at:
        return at_rate(find_task(plain), rate, name=name_or_path)
    near = difflib.get_close_matches(name_or_path, task_names(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownTaskError(
        f"unknown task {name_or_path!r}; {hint}there are: {', '.join(task_names())}; a file of "
        "your own ends in .toml"
    )


def at_rate(task: Task, text: str, *, name: str) -> Task:
    """The task under the learning rate that stands after the "@" of a name.

    Raises:
        UnknownTaskError: If none stands there.
    """
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.0 < rate <= GREATEST_RATE:
        raise UnknownTaskError(
            f"unknown task {name!r}: after the @ stands a learning rate above 0 and at most "
            f"{GREATEST_RATE:,.0f}, such as 0.003"
        )
    return with_learning_rate(task, rate)


def _read(path: Path) -> Task:
    try:
        document = read_toml(path)
    except OSError as error:
        raise TaskError(f"cannot read the task {path}: {error.strerror}") from error
    except TomlError as error:
        raise TaskError(str(error)) from None
    document.setdefault("name", re.sub(r"[^A-Za-z0-9._-]", "-", path.stem))
    return Task.from_mapping(document, what=str(path), folder=path.parent)
