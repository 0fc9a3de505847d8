"""What is said of a discovery's novelty."""

from __future__ import annotations

import pytest

from grammars import parse
from search.novelty import novelty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sigmoid(x) * x", "known as swish"),
        ("0.5 * x * sigmoid(2 * x)", "relative of swish: 0.25 * swish(2 * x)"),
        ("max(x, tanh(x)) - x * cos(x)", "not in the catalogue"),
    ],
)
def test_a_function_is_known_related_or_new(text: str, said: str) -> None:
    assert novelty(parse(text)) == said
