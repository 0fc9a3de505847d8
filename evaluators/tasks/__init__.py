"""Tasks: what a candidate is tried on, as values that are read from files or made in Python."""

from evaluators.recipes.recipe import Recipe
from evaluators.tasks.files import (
    UnknownTaskError,
    find_task,
    is_shipped_name,
    shipped_tasks,
    task_names,
    task_title,
)
from evaluators.tasks.recorded import is_as_known_by_name, is_known_by_name, task_known_by_name
from evaluators.tasks.task import Task, TaskError, with_learning_rate
from evaluators.tasks.writing import keep_task, task_text, write_task

__all__ = [
    "Recipe",
    "Task",
    "TaskError",
    "UnknownTaskError",
    "find_task",
    "is_as_known_by_name",
    "is_known_by_name",
    "is_shipped_name",
    "keep_task",
    "shipped_tasks",
    "task_known_by_name",
    "task_title",
    "task_names",
    "task_text",
    "with_learning_rate",
    "write_task",
]
