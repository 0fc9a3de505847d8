"""A task of a user's own is tried before anything is searched; `test_bad_input` has his code."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from evaluators.datasets import load
from evaluators.tasks import TaskError, find_task
from search.executors import Workload, dry_run

NETWORK = '[network]\nkind = "mlp"\nhidden = [8, 8]\n'


def test_a_network_that_cannot_take_the_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "my.npz", x=np.random.default_rng(0).normal(size=(200, 5)), y=[0, 1] * 100)
    path = tmp_path / "my.toml"
    path.write_text('[data]\narrays = "my.npz"\n[network]\nkind = "cnn"\nfirst_channels = 2\n')
    task = find_task(str(path))
    with pytest.raises(TaskError, match=r"'my' does not work with relu for one step: a network of"):
        dry_run(Workload(task.on(load(task.data))), timeout_seconds=60.0, memory_gib=math.inf)


def test_a_batch_that_no_training_split_fills(tmp_path: Path) -> None:
    np.savez(tmp_path / "my.npz", x=np.arange(40.0), y=[0, 1] * 20)
    path = tmp_path / "my.toml"
    path.write_text(f'[data]\narrays = "my.npz"\n{NETWORK}[recipe]\nbatch = 64\n')
    task = find_task(str(path))
    with pytest.raises(TaskError, match=r"'my': recipe.batch is 64, and there are 28 training ex"):
        task.on(load(task.data))


def test_shipped_tasks_are_known_to_work() -> None:
    # With such limits no worker could do anything.
    dry_run(Workload(find_task("digits-mlp")), timeout_seconds=1e-9, memory_gib=1e-9)
    with pytest.raises(TaskError, match=r"'digits-mlp@0\.5' does not work with relu for one step"):
        dry_run(Workload(find_task("digits-mlp@0.5")), timeout_seconds=1e-9, memory_gib=1e-9)
