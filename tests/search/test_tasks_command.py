"""`actsearch tasks` lists what there is, and shows a task as a file that reads back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluators.tasks import find_task, shipped_tasks

from .here import captured


def test_all_shipped_tasks_are_listed() -> None:
    answer = captured("tasks", "--json")
    assert answer.status == 0
    listed = {each["name"]: each for each in json.loads(answer.stdout)}
    assert listed == {name: task.to_mapping() for name, task in shipped_tasks().items()}


@pytest.mark.parametrize("name", [*shipped_tasks(), "mnist-mlp@0.003"])
def test_a_task_that_is_shown_reads_back(name: str, tmp_path: Path) -> None:
    answer = captured("tasks", name)
    assert answer.status == 0
    (tmp_path / "copy.toml").write_text(answer.stdout, encoding="utf-8")
    task = find_task(name)
    assert find_task(str(tmp_path / "copy.toml")) == task


def test_a_misspelt_task_is_helped() -> None:
    answer = captured("tasks", "mnist-mpl")
    assert answer.status == 2
    assert "did you mean 'mnist-mlp'?" in answer.stderr
