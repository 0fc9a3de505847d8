"""Where campaigns run: their folder, the data, the workers, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from evaluators.datasets import Dataset, load
from evaluators.datasets.data import Data
from search.executors import Executor, ExecutorName, Workload, start_executor
from search.settings import ScoringSettings


def say_nothing(text: str) -> None:
    """For whoever wants to hear nothing."""


@dataclass(frozen=True)
class Site:
    """Where campaigns run; no result depends on it.

    Attributes:
        runs_dir: Where campaigns and the MLflow store are kept.
        manual_dir: Where raw data files may be found; None for the usual places alone.
        workers: Processes that train; None for one a core, or a GPU, that may be used.
        executor: Whether they are on this machine or on a Ray cluster.
        gpus_per_worker: What each asks a cluster for.
        journal_dir: Where the journals of new campaigns are kept, with links in their folders;
            None for these folders themselves.
        announce: Receives sentences for people.
    """

    runs_dir: Path = Path("runs")
    manual_dir: Path | None = None
    workers: int | None = None
    executor: ExecutorName = "processes"
    gpus_per_worker: float = 0.0
    journal_dir: Path | None = None
    announce: Callable[[str], None] = field(default=say_nothing, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("runs_dir", "manual_dir", "journal_dir"):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(given))  # texts are taken as well

    def load(self, data: Data, *, fallback: str | None = None) -> Dataset:
        """Training and validation examples, found here or fetched; see `evaluators.datasets.load`.

        Raises:
            DatasetUnavailable: If they cannot be found, nor the fallback.
        """
        return load(data, fallback=fallback, manual_dir=self.manual_dir, announce=self.announce)

    def start(
        self, workload: Workload, scoring: ScoringSettings, *, at_most: int | None = None
    ) -> Executor:
        """Starts workers, of which whoever enters the executor is the owner.

        Args:
            workload: What to train.
            scoring: How many candidates are compiled together, and the limits of each.
            at_most: Workers that there is work for; None where there is enough for all.

        Raises:
            WorkersUnusableError: If a cluster is asked for and there is none.
        """
        return start_executor(
            self.executor,
            workload,
            scoring,
            workers=self.workers,
            at_most=at_most,
            gpus_per_worker=self.gpus_per_worker,
        )
