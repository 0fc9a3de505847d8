"""Which compiled programs a worker keeps."""

from __future__ import annotations

import pytest

from evaluators.training.trainers import superfluous
from search.executors.familiar import Familiar


@pytest.mark.parametrize(
    ("kept", "coming", "gone"),
    [
        ([], 64, 0),
        ([64, 64], 64, 0),
        ([64, 64, 64], 64, 1),
        ([16, 16, 16], 1, 1),
        ([1] * 31, 1, 0),
        ([1] * 32, 1, 1),
        ([1] * 20, 16, 4),
        ([1] * 20, 64, 18),
    ],
)
def test_three_programs_are_kept_and_of_small_ones_more(
    kept: list[int], coming: int, gone: int
) -> None:
    assert superfluous(kept, coming) == gone


def test_functions_that_come_one_by_one_are_compiled_once() -> None:
    familiar, names = Familiar(), [f"{number} * x" for number in range(14)]
    assert all(familiar.add([name]) for name in names)
    assert not any(familiar.add([name]) for name in names)
    assert familiar.among(names) == 14


def test_what_three_batches_have_displaced_is_compiled_again() -> None:
    familiar = Familiar()
    batches = [[f"{number} * x + {batch}" for number in range(64)] for batch in range(4)]
    assert all(familiar.add(batch) for batch in batches)
    assert familiar.among(batches[0]) == 0
    assert familiar.add(batches[0])
