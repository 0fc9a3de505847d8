"""Where evaluations are done: each executor turns expressions into evaluations, in order."""

from search.executors.executor import Executor, Interrupted, WorkersUnusableError, Workload
from search.executors.in_process import InProcess
from search.executors.process_pool import ProcessPool

__all__ = [
    "Executor",
    "InProcess",
    "Interrupted",
    "ProcessPool",
    "WorkersUnusableError",
    "Workload",
]
