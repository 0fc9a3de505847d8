"""Starts the executor that a launch asks for by name."""

from __future__ import annotations

import os
from typing import Literal

from search.executors.executor import Executor, Workload
from search.executors.process_pool import ProcessPool
from search.executors.ray_cluster import RayCluster
from search.settings import ScoringSettings

ExecutorName = Literal["processes", "ray"]


def start_executor(
    name: ExecutorName,
    workload: Workload,
    scoring: ScoringSettings,
    *,
    workers: int | None,
    at_most: int | None = None,
    gpus_per_worker: float = 0.0,
) -> Executor:
    """Starts workers on this machine, or on a Ray cluster; the results are the same.

    Args:
        name: Which.
        workload: What to train on.
        scoring: How many candidates are compiled together, and the limits of each.
        workers: Their number, None for one a core.
        at_most: Of them, where there is not work for more; on a cluster idle ones cost nothing.
        gpus_per_worker: What each asks a cluster for.

    Raises:
        WorkersUnusableError: If there is no cluster.
    """
    if name == "ray":
        return RayCluster(
            workload,
            workers=workers,
            batch=scoring.batch,
            timeout_seconds=scoring.timeout_seconds,
            memory_gib=scoring.memory_gib,
            gpus_per_worker=gpus_per_worker,
        )
    wanted = workers or local_cores()
    return ProcessPool(
        workload,
        workers=wanted if at_most is None else min(wanted, at_most),
        batch=scoring.batch,
        timeout_seconds=scoring.timeout_seconds,
        memory_gib=scoring.memory_gib,
    )


def local_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))
