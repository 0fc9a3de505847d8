"""Several tasks in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from search.appraisal.wording import tasks_by_weight


@pytest.mark.parametrize(
    ("aggregate", "words"),
    [
        ("mean", "a, b and c"),
        ("worst", "the worst of a, b and c"),
        ({"b": 2.0, "c": 0.35}, "a (weight 1), b (weight 2) and c (weight 0.35)"),
        ({"a": 2.0, "b": 2.0, "c": 2.0}, "a, b and c"),
    ],
)
def test_weights_are_said_where_tasks_count_unequally(
    aggregate: str | Mapping[str, float], words: str
) -> None:
    assert tasks_by_weight(["a", "b", "c"], aggregate) == words
