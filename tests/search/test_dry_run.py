"""A task of a user's own is tried before anything is searched; `test_bad_input` has his code."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from evaluators.datasets import load
from evaluators.tasks import TaskError, find_task
from search.executors import Workload, dry_run

from .here import SMALL, actsearch

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


BROKEN = """
def network(shape, outputs):
    return lambda seed: {}, lambda weights, x, activate: activate(x) @ weights["missing"]
"""


def test_a_task_that_only_the_finals_need_is_tried_as_well(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(BROKEN)
    task = '[data]\nbuiltin = "digits"\n[network]\nfunction = "net.py:network"\n'
    (tmp_path / "elsewhere.toml").write_text(task)
    (tmp_path / "mine.toml").write_text(f'{SMALL}finals.transfer = ["{tmp_path}/elsewhere.toml"]\n')
    answer = actsearch("launch", tmp_path / "mine.toml", "--runs-dir", tmp_path / "runs")
    assert answer.is_clear_error, answer
    assert "net.py, line 3" in answer.stderr
    assert not (tmp_path / "runs" / "mine").exists(), "before anything is recorded"


def test_two_tasks_of_one_name_are_refused_before_the_search(tmp_path: Path) -> None:
    for folder, rate in (("a", 0.001), ("b", 0.002)):
        (tmp_path / folder).mkdir()
        text = f'[data]\nbuiltin = "digits"\n{NETWORK}[recipe]\nlearning_rate = {rate}\n'
        (tmp_path / folder / "mine.toml").write_text(text)
    names = [f"{tmp_path}/{folder}/mine.toml" for folder in "ab"]
    (tmp_path / "both.toml").write_text(f"{SMALL}finals.transfer = {names}\n")
    answer = actsearch("launch", tmp_path / "both.toml", "--runs-dir", tmp_path / "runs")
    assert answer.is_clear_error, answer
    assert "a/mine.toml are both called 'mine', and results could not be" in answer.stderr
