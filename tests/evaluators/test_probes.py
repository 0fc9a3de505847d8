"""Probes: what cannot work is told why, what is published passes."""

from __future__ import annotations

import pytest

from evaluators.probing.probes import probe
from grammars import CATALOGUE, parse, parse_activation

_UNFIT = {"identity", "binary_step"}


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name not in _UNFIT])
def test_published_activations_pass(name: str) -> None:
    assert probe(parse(name)) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 + 2", "constant: x does not occur in it"),
        ("x - x", "constant: f(x) = 0 on [-5, 5]"),
        ("x", "affine: f(x) = x, so any depth is one layer"),
        ("-x", "affine: f(x) = -x, so any depth is one layer"),
        ("2 * x + 1", "affine: f(x) = 2 x + 1, so any depth is one layer"),
        ("0.5 * x - 3", "affine: f(x) = 0.5 x - 3, so any depth is one layer"),
        ("where(x >= 4, 1, 0)", "no gradient: f' is 0 almost everywhere on [-3, 3]"),
        ("[relu(x), x - x]", "last: constant: f(x) = 0 on [-5, 5]"),
        ("[-x, 2 * x]", "affine: f(x) = -x, so any depth is one layer"),
    ],
)
def test_reasons_for_rejection(text: str, reason: str) -> None:
    assert probe(parse_activation(text)) == reason


def test_a_layer_may_be_affine_if_another_is_not() -> None:
    assert probe(parse_activation("[x, relu(x), 2 * x]")) is None


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("binary_step(x)", "too steep: |f'| exceeds 1,000 near x = "),
        ("log(x)", "not finite: f(-10) = nan in float64"),
        ("1 / x", "not finite: f(0) = inf"),
        ("exp(exp(x))", "not finite: f("),
        ("sqrt(abs(x))", "too steep: |f'| exceeds 1,000 near x = "),
        ("1e-4 * sin(x)", "too flat: |f'| stays below 0.001"),
    ],
)
def test_reasons_that_name_a_point(text: str, beginning: str) -> None:
    reason = probe(parse(text))
    assert reason is not None
    assert reason.startswith(beginning)
