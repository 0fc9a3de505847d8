"""What is wrong with a task of a user's own is told in one sentence before anything is searched."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from evaluators.datasets import load
from evaluators.tasks import TaskError, find_task
from search.executors import Workload, dry_run

from .test_kills import FULL

NETWORK = '[network]\nkind = "mlp"\nhidden = [8, 8]\n'

CASES = {
    "import": (
        "raise RuntimeError('no licence')",
        "mine.py, line 1: importing it raised RuntimeError: no licence$",
    ),
    "None": ("def score(activation, steps, seed):\n    pass", "mine.py, line 1: score must return"),
    "hang": (
        "import time\ndef score(activation, steps, seed):\n    time.sleep(1e6)",
        r"mine.py, line 2 does not work with relu for one step: it did not end in time \(0.5 s a",
    ),
    "crash": (
        "import os\ndef score(activation, steps, seed):\n    os.abort()",
        r"mine.py, line 2 does not work with relu for one step: its worker died \(SIGABRT\)",
    ),
    "memory": (
        "import numpy\ndef score(activation, steps, seed):\n    return numpy.ones(1 << 33).sum()",
        "mine.py, line 3: score.., steps=1, seed=0, raised .*Unable to allocate 64.0 GiB",
    ),
}


SLOW = pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 waits for what hangs")


@pytest.mark.parametrize(
    "what", [pytest.param(name, marks=SLOW if name == "hang" else ()) for name in CASES]
)
def test_an_objective_that_cannot_be_used(what: str, tmp_path: Path) -> None:
    content, message = CASES[what]
    (tmp_path / "mine.py").write_text(content)
    (tmp_path / "mine.toml").write_text('objective = "mine.py:score"')
    with pytest.raises(TaskError, match=message) as caught:
        dry_run(
            Workload(find_task(str(tmp_path / "mine.toml"))), timeout_seconds=0.5, memory_gib=4.0
        )
    assert "\n" not in str(caught.value)


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
