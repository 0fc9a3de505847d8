"""Writes a task as the TOML file that it can be read from."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluators.reading.files import cache_root
from evaluators.tasks.task import Task


def write_task(task: Task, path: str | Path) -> None:
    """Writes a task file, such as of a task that was made in Python.

    Args:
        task: Whose data stay where they are: in their file, or in the array cache.
        path: Of the file; campaign files and `find_task` take it if it ends in `.toml`.

    Raises:
        OSError: If it cannot be written.
    """
    Path(path).write_text(task_text(task), encoding="utf-8")


def keep_task(task: Task) -> str:
    """Writes a task among what this program keeps for itself; the path, which its content decides.

    Raises:
        OSError: If it cannot be written.
    """
    text = task_text(task)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = cache_root() / "tasks" / f"{digest[:32]}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(text.encode())
    Path(file.name).replace(path)
    return str(path)


def task_text(task: Task) -> str:
    """The text of a task file; what is None is left to its default."""
    document = task.to_mapping()
    lines = [f"{key} = {_value(document[key])}" for key in ("name", "description")]
    for section, table in document.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{section}]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{key} = {_value(each)}" for key, each in table.items() if each is not None)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_pairs(value))} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # Texts, numbers and truth values are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
