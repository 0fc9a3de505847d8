"""The executor of a campaign on a Ray cluster: one actor a slot, which owns one worker process."""

from __future__ import annotations

import importlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Self

from evaluators.datasets import load_all
from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.delivery import Delivery, LostBatchError
from search.executors.executor import DEFAULT_MEMORY_GIB, Stopping, WorkersUnusableError, Workload
from search.executors.ray_actor import WorkerActor, versions

# A batch that loses its node this often is given up; a candidate cannot do that by itself.
LOSSES_A_BATCH: Final = 5

# An actor for which the cluster finds no room in this time gives its slot up.
STARTING_SECONDS: Final = 120.0

# How long actors are asked to tidy up before they are ended; those that are busy don't hear it.
CLOSING_SECONDS: Final = 2.0


class NoRoomError(Exception):
    """The cluster starts no actor for a slot."""


class _Slot:
    """One actor at a time, on whichever node has room."""

    def __init__(self, ray: Any, start: Callable[[], Any], *, has_room: Callable[[], bool]) -> None:
        self._ray, self._start, self._has_room = ray, start, has_room
        self._actor: Any = None

    def evaluate(self, texts: list[str], fidelity: Fidelity) -> Any:
        """What `WorkerActor.evaluate` says; raises Ray's errors if it or its node is lost."""
        try:
            if self._actor is None:
                self._actor = self._started()
            request = self._actor.evaluate.remote(texts, fidelity.to_json())
            return self._ray.get(request)
        except self._ray.exceptions.RayError:
            self._actor = None
            raise

    def _started(self) -> Any:
        actor = self._start()
        asked = actor.versions.remote()
        latest = time.monotonic() + STARTING_SECONDS
        while not self._ray.wait([asked], timeout=1.0)[0]:
            if time.monotonic() > latest or not self._has_room():
                self._ray.kill(actor)
                raise NoRoomError
        theirs, ours = self._ray.get(asked), versions()
        if theirs != ours:
            raise WorkersUnusableError(
                f"a node of the cluster has {theirs}, this one {ours}: results would not be "
                "comparable; install the same versions everywhere"
            )
        return actor

    def farewell(self) -> Any:
        """Asks the actor, if there is one, to tidy up; Ray's word for its answer."""
        return self._actor and self._actor.close.remote()

    def end(self) -> None:
        """Ends the actor, and its worker with it."""
        if self._actor is not None:
            self._ray.kill(self._actor)


class RaySlots:
    """As many slots as the cluster has room for; a lost node's work is done again elsewhere."""

    def __init__(
        self, ray: Any, start: Callable[[], Any], *, workers: int, room: Callable[[], int]
    ) -> None:
        """Prepares the slots.

        Args:
            ray: The module, connected.
            start: Asks the cluster for an actor.
            workers: Number of slots.
            room: How many the cluster has room for now.
        """
        self.workers = workers
        self._ray, self._room = ray, room
        self._slots = [_Slot(ray, start, has_room=self._has_room) for _ in range(workers)]
        # None once no slot is left.
        self._idle: SimpleQueue[_Slot | None] = SimpleQueue()
        for slot in self._slots:
            self._idle.put(slot)
        self._usable, self._counting = workers, threading.Lock()
        self.losses = 0
        """Batches that were lost with their node and done again."""
        self._is_closed = False
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="ray-slot")

    def submit(
        self, expressions: Sequence[Activation], fidelity: Fidelity
    ) -> Future[list[Evaluation]]:
        """See `Slots.submit`."""
        return self._threads.submit(self._evaluate, [str(e) for e in expressions], fidelity)

    def _evaluate(self, texts: list[str], fidelity: Fidelity) -> list[Evaluation]:
        losses = 0
        while losses < LOSSES_A_BATCH and not self._is_closed:
            slot = self._next_idle()
            try:
                answer = slot.evaluate(texts, fidelity)
            except NoRoomError:
                self._retire()
                continue
            except self._ray.exceptions.RayError:
                losses += 1
                with self._counting:
                    self.losses += 1
                self._idle.put(slot)
                continue
            except BaseException:
                self._idle.put(slot)
                raise
            self._idle.put(slot)
            return _evaluations(answer)
        raise LostBatchError(f"its node was lost {losses} times", is_certain=True)

    def _next_idle(self) -> _Slot:
        slot = self._idle.get()
        if slot is None:
            self._idle.put(None)  # for the others who wait
            raise WorkersUnusableError(
                f"the cluster started no worker within {STARTING_SECONDS:g} s; `ray status` shows "
                "its nodes and what they have free"
            )
        return slot

    def _has_room(self) -> bool:
        return self._room() >= self._usable

    def _retire(self) -> None:
        """One slot less: those that are left do the work."""
        with self._counting:
            self._usable -= 1
            if self._usable == 0:
                self._idle.put(None)

    def close(self) -> None:
        """Ends all actors."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        with suppress(self._ray.exceptions.RayError):
            asked = [word for slot in self._slots if (word := slot.farewell()) is not None]
            if asked:
                self._ray.wait(asked, num_returns=len(asked), timeout=CLOSING_SECONDS)
        for slot in self._slots:
            slot.end()


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
            workers: Number of slots, None for one a core (or one a GPU) of the cluster.
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
        files = {Path(f.path).name: Path(f.path).read_bytes() for f in functions}

        def room() -> int:
            return _room(ray.cluster_resources(), gpus_per_worker)

        self._slots = RaySlots(
            ray,
            lambda: remote_actor.remote(workload, data, files, launch),
            workers=workers or max(1, room()),
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
        """The number of slots."""
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


def _evaluations(answer: Mapping[str, Any]) -> list[Evaluation]:
    if "loss" in answer:
        raise LostBatchError(answer["loss"]["reason"], is_certain=answer["loss"]["is_certain"])
    if "unusable" in answer:
        raise WorkersUnusableError(answer["unusable"])
    return [Evaluation.from_json(document) for document in answer["evaluations"]]
