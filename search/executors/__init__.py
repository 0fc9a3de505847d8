"""Where evaluations are done: each executor turns expressions into evaluations, in order."""

from search.executors.dry_run import dry_run
from search.executors.executor import (
    Executor,
    Interrupted,
    Stopping,
    WorkersUnusableError,
    Workload,
)
from search.executors.in_process import InProcess
from search.executors.process_pool import ProcessPool
from search.executors.ray_cluster import RayCluster
from search.executors.starting import ExecutorName, local_cores, start_executor

__all__ = [
    "Executor",
    "ExecutorName",
    "InProcess",
    "Interrupted",
    "ProcessPool",
    "RayCluster",
    "Stopping",
    "WorkersUnusableError",
    "Workload",
    "dry_run",
    "local_cores",
    "start_executor",
]
