"""The executor of a campaign on a Ray cluster: one actor a slot, which owns one worker process."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from evaluators.datasets import load_all
from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.delivery import Delivery
from search.executors.executor import DEFAULT_MEMORY_GIB, Stopping, WorkersUnusableError, Workload
from search.executors.ray_actor import WorkerActor
from search.executors.ray_slots import RaySlots


class RayCluster:
    """Evaluates on an existing cluster, with results that are those of one machine.

    Isolation is the same code as locally: candidates live and die in a worker process of their
    slot's actor. Batches that a lost node took with it are counted and repeated here, in the
    driver. The data travel once to each node.
    """

    def __init__(
        self,
        workload: Workload,
        *,
        workers: int | None,
        batch: int,
        timeout_seconds: float,
        memory_gib: float = DEFAULT_MEMORY_GIB,
        gpus_per_worker: float = 0.0,
        address: str = "auto",
    ) -> None:
        """Connects to the cluster; actors start with their first batch.

        Args:
            workload: What to train on.
            workers: Number of slots at most, None for one a core (or one a GPU) of the cluster,
                those included that join it later.
            batch: Candidates that are compiled together, at most.
            timeout_seconds: What one candidate may take for each seed.
            memory_gib: What each worker may allocate, in GiB.
            gpus_per_worker: GPUs that each slot asks the cluster for, parts of one allowed.
            address: Of the cluster; "auto" takes RAY_ADDRESS, or the cluster on this machine.

        Raises:
            WorkersUnusableError: If Ray is not installed or there is no cluster.
        """
        ray = self._ray = _connected(address)
        workload = replace(workload, timeout_seconds=timeout_seconds, memory_gib=memory_gib)
        remote_actor = ray.remote(WorkerActor).options(
            num_cpus=1, num_gpus=gpus_per_worker, max_restarts=0
        )
        data, launch = ray.put([load_all(task.data) for task in workload.tasks]), uuid.uuid4().hex
        functions = [function for task in workload.tasks for function in task.functions]
        files = [(file.name, file.read_bytes()) for file in (f.file for f in functions)]

        def room() -> int:
            return _room(ray.cluster_resources(), gpus_per_worker)

        self._slots = RaySlots(
            ray,
            lambda: remote_actor.remote(workload, data, files, launch),
            workers=workers,
            room=room,
        )
        self._delivery = Delivery(self._slots, benches=workload.benches, batch=batch)

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        """See `Executor.evaluate`."""
        return self._delivery.evaluate(expressions, fidelity, stopping=stopping)

    def abandon(self) -> None:
        """See `Executor.abandon`; the workers end when the executor is closed."""
        self._delivery.abandon()

    @property
    def workers(self) -> int:
        """The number of slots that there may be now."""
        return self._slots.workers

    @property
    def losses(self) -> int:
        """Batches that were lost with their node and done again."""
        return self._slots.losses

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._slots.close()
        self._ray.shutdown()


def _connected(address: str) -> Any:
    try:
        ray = importlib.import_module("ray")
    except ModuleNotFoundError:
        raise WorkersUnusableError(
            "Ray is not installed; `pip install 'actsearch[ray]'` installs it, on every node"
        ) from None
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError) as error:
        raise WorkersUnusableError(
            f"there is no Ray cluster at {address!r} ({error}); `ray start --head` starts one, and "
            "RAY_ADDRESS names another"
        ) from error
    return ray


def _room(resources: Mapping[str, float], gpus_per_worker: float) -> int:
    room = resources.get("CPU", 0.0)
    if gpus_per_worker > 0:
        room = min(room, resources.get("GPU", 0.0) / gpus_per_worker)
    return int(room)
