"""What lives on a node of a Ray cluster: an actor that owns one worker process."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from evaluators.datasets import Split, install
from evaluators.evaluation.fidelity import Fidelity
from evaluators.reading.files import cache_root, keep_file
from grammars import parse_activation
from search.executors.delivery import LostBatchError
from search.executors.executor import WorkersUnusableError, Workload
from search.executors.worker_pool import WorkerPool

SWEPT_AFTER_SECONDS: Final = 86_400.0

# Other versions of these could give other results.
_SAME_VERSIONS: Final = ("actsearch", "jax", "jaxlib", "optax", "numpy")


class WorkerActor:
    """Runs in an actor on some node, and lets candidates near a worker process of its own only."""

    def __init__(
        self,
        workload: Workload,
        data: Sequence[Mapping[str, Split]],
        files: Sequence[tuple[str, bytes]],
        launch: str,
    ) -> None:
        """Makes the node's copy of the data, unless it has one.

        Args:
            workload: What its worker is to get ready for.
            data: All splits of each task's data set.
            files: Of the functions of a user's own: names and contents.
            launch: Distinguishes the training states of this launch, which the actors of a node
                share, from those of others, which another version may have written.
        """
        for task, splits in zip(workload.tasks, data, strict=True):
            install(task.data, splits)
        for name, content in files:
            keep_file(name, content)
        _sweep(cache_root() / "states")
        self._states_folder = cache_root() / "states" / launch
        self._pool = WorkerPool(replace(workload, states_folder=self._states_folder), workers=1)

    def hello(self) -> tuple[dict[str, str], str]:
        """The packages that decide what an evaluation comes to, and the node that this is."""
        from ray import get_runtime_context

        return versions(), str(get_runtime_context().get_node_id())

    def evaluate(self, texts: list[str], fidelity: Mapping[str, Any]) -> dict[str, Any]:
        """Evaluates a batch; says in plain values what became of it."""
        candidates = [parse_activation(text) for text in texts]
        future = self._pool.submit(candidates, Fidelity.from_json(fidelity))
        try:
            return {"evaluations": [evaluation.to_json() for evaluation in future.result()]}
        except LostBatchError as loss:
            return {"loss": {"reason": loss.reason, "is_certain": loss.is_certain}}
        except WorkersUnusableError as error:
            return {"unusable": _on_this_node(str(error))}

    def close(self) -> None:
        """Lets go of the training states."""
        shutil.rmtree(self._states_folder, ignore_errors=True)


def _on_this_node(why: str) -> str:
    """Why nothing can be evaluated, with the node, and what it may lack that the driver has."""
    said = f"{why} (on node {platform.node()}"
    if "NotFoundError" in why:  # of a module or of a file
        said += (
            ", to which only those of your files travel that the task names: what they import or "
            "read must be installed there, or be in the same folder at the same path"
        )
    return f"{said})"


def _sweep(states: Path) -> None:
    """Deletes what launches left here that were killed, a day after they last wrote there."""
    for folder in states.glob("*") if states.is_dir() else ():
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > SWEPT_AFTER_SECONDS:
                shutil.rmtree(folder)


def versions() -> dict[str, str]:
    """Of this process."""
    return {package: version(package) for package in _SAME_VERSIONS}
