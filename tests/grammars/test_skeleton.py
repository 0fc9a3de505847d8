"""Which functions are one form with different constants."""

from __future__ import annotations

import pytest

from grammars import parse
from grammars.algebra.skeleton import skeleton


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x * sigmoid(x)", "-0.3 * x * sigmoid(-2 * x) + 1"),
        ("x / (1 + exp(-x))", "2 * x / (3 + 0.5 * exp(-x))"),
        ("max(x, 0.1 * x)", "max(-x, 0.2 * x)"),
        ("x - tanh(x)", "tanh(2 * x) + 3 * x"),
        ("x ** 2.5", "x ** 1.5"),
        ("max(max(x, tanh(x)), sin(x))", "max(x, max(sin(3 * x), tanh(x)))"),
        ("x * x * sigmoid(x)", "square(x) * sigmoid(1.1 * x)"),
        ("clip(x, -1, 1)", "clip(2 * x, -2, 3)"),
        ("x * sigmoid(param('b', 1.0) * x)", "x * sigmoid(1.5 * x)"),
        ("3", "-2"),
    ],
)
def test_constants_make_no_other_form(one: str, other: str) -> None:
    assert skeleton(parse(one)) == skeleton(parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x * sigmoid(x)", "x * tanh(x)"),
        ("x / (1 + exp(-x))", "x * exp(x)"),  # they differ in more than the size of a constant
        ("tanh(x) + tanh(2 * x)", "tanh(x)"),
        ("x / tanh(x)", "x * tanh(x)"),
        ("tanh(x) + x", "tanh(x) * x"),
        ("clip(x, -1, 1)", "x"),
        ("1 / x", "x"),
        ("x * (x - tanh(x))", "x * x - tanh(x)"),
    ],
)
def test_other_forms_are_told_apart(one: str, other: str) -> None:
    assert skeleton(parse(one)) != skeleton(parse(other))
