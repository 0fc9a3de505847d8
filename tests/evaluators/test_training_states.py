"""Kept training states: bounded, keyed by everything that decides them, never trusted."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from evaluators.training.training_states import TrainingStates
from grammars import parse

STATE = {"weights": np.arange(6.0, dtype=np.float32).reshape(2, 3), "count": np.int32(7)}
TANH = parse("tanh(x)")


def _states(folder: Path, *, task: str = "a", max_bytes: int = 1 << 20) -> TrainingStates:
    return TrainingStates(folder, task=task, dataset="digits", max_bytes=max_bytes)


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    _states(tmp_path).save(TANH, seed=1, learning_rate=0.001, steps=100, state=STATE)
    saved = _states(tmp_path).load(TANH, seed=1, learning_rate=0.001, at_most=100, like=STATE)
    assert saved is not None
    assert saved.steps == 100
    np.testing.assert_array_equal(saved.state["weights"], STATE["weights"])
    assert saved.state["count"] == 7


@pytest.mark.parametrize(
    ("text", "seed", "rate", "at_most", "task"),
    [
        ("sin(x)", 1, 0.001, 100, "a"),
        ("tanh(x)", 2, 0.001, 100, "a"),
        ("tanh(x)", 1, 0.002, 100, "a"),
        ("tanh(x)", 1, 0.001, 99, "a"),
        ("tanh(x)", 1, 0.001, 100, "b"),
    ],
    ids=["expression", "seed", "learning rate", "steps", "task"],
)
def test_no_other_run_gets_it(
    tmp_path: Path, text: str, seed: int, rate: float, at_most: int, task: str
) -> None:
    _states(tmp_path).save(TANH, seed=1, learning_rate=0.001, steps=100, state=STATE)
    other = _states(tmp_path, task=task)
    saved = other.load(parse(text), seed=seed, learning_rate=rate, at_most=at_most, like=STATE)
    assert saved is None


def test_a_state_of_another_shape_is_not_used(tmp_path: Path) -> None:
    _states(tmp_path).save(TANH, seed=1, learning_rate=0.001, steps=100, state=STATE)
    like = {**STATE, "weights": np.zeros((3, 2), np.float32)}
    assert _states(tmp_path).load(TANH, seed=1, learning_rate=0.001, at_most=100, like=like) is None


def test_the_oldest_states_make_room(tmp_path: Path) -> None:
    big = {"weights": np.zeros(1000, np.float32)}
    states = _states(tmp_path, max_bytes=13_000)
    for seed in range(4):
        states.save(TANH, seed=seed, learning_rate=0.001, steps=1, state=big)
        for age, path in enumerate(sorted(tmp_path.iterdir(), key=lambda p: -p.stat().st_mtime)):
            os.utime(path, (1e9 - age, 1e9 - age))
    kept = [
        seed
        for seed in range(4)
        if states.load(TANH, seed=seed, learning_rate=0.001, at_most=1, like=big) is not None
    ]
    assert kept[-1] == 3
    assert 1 <= len(kept) <= 3
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 13_000


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    _states(blocked).save(TANH, seed=1, learning_rate=0.001, steps=100, state=STATE)
    assert _states(blocked).load(TANH, seed=1, learning_rate=0.001, at_most=100, like=STATE) is None


def test_a_damaged_state_is_not_used(tmp_path: Path) -> None:
    """Flipped bits, a lost end, a blank: the right state or none, whatever NumPy says of it."""
    states = _states(tmp_path)
    states.save(TANH, seed=1, learning_rate=0.001, steps=100, state=STATE)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    chance = random.Random(0)
    used = 0
    for _ in range(500):
        damaged = bytearray(whole)
        first = chance.randrange(len(damaged))
        match chance.randrange(3):
            case 0:
                damaged[first] ^= 1 << chance.randrange(8)
            case 1:
                del damaged[first:]
            case 2:
                damaged[first : first + 16] = bytes(len(damaged[first : first + 16]))
        path.write_bytes(damaged)
        saved = states.load(TANH, seed=1, learning_rate=0.001, at_most=100, like=STATE)
        if saved is not None:
            used += 1
            assert saved.steps == 100
            np.testing.assert_array_equal(saved.state["weights"], STATE["weights"])
            assert saved.state["count"] == 7
    assert used < 250  # much of a file is of no importance


def test_a_full_disk_keeps_no_half_of_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(file: IO[bytes], **arrays: np.ndarray) -> None:
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fill)
    _states(tmp_path).save(TANH, seed=1, learning_rate=0.001, steps=100, state=STATE)
    assert list(tmp_path.iterdir()) == []
