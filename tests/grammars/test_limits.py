"""Limits by analysis: right where they are claimed, and not claimed where they are not known."""

import math

import numpy
import pytest

from grammars import CATALOGUE, evaluate, parse
from grammars.analysis.limits import far, growth
from grammars.numerics.derivative import derivative

INF = math.inf


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("x * sigmoid(x)", 0.0, INF),
        ("gelu", 0.0, INF),
        ("x * exp(-exp(-x))", 0.0, INF),
        ("exp(-x ** 2) * x ** 3", 0.0, 0.0),
        ("x / (1 + abs(x))", -1.0, 1.0),
        ("sqrt(x ** 2 + x) - abs(x)", -0.5, 0.5),
        ("softplus(x) - x", INF, 0.0),
        ("softplus(x) - max(x, 0)", 0.0, 0.0),
        ("log(1 + exp(x)) / x", 0.0, 1.0),
        ("x / (x + 1e12)", 1.0, 1.0),
        ("atan(x) ** 2 - x", INF, -INF),
        ("asinh(x) - log(abs(x))", -INF, math.log(2)),
        ("where(x >= 0, 1 / x, sqrt(-x))", INF, 0.0),
        ("sigmoid(x) * exp(-x)", 1.0, 0.0),
        ("sinc(x) + 3", 3.0, 3.0),
        ("x ** 0.5 / x", None, 0.0),
        ("log(-x)", INF, None),
        ("sin(x)", None, None),
        ("x + 2 * sin(x)", -INF, INF),
        ("erf(softplus(x)) * x", 0.0, INF),
        ("2 ** x", 0.0, INF),
        ("clip(x, -1, 2) + tanh(x)", -2.0, 3.0),
        ("abs(exp(-exp(x)) * x)", INF, 0.0),
        ("clip(exp(-exp(-x)), 0, 1)", 0.0, 1.0),
        ("exp(x - exp(x))", 0.0, 0.0),
        ("relu(x + sin(x))", 0.0, INF),
        ("max(x + sin(x), x)", -INF, INF),
        ("min(sinc(x), 0)", 0.0, 0.0),
    ],
)
def test_limits_are_those_of_calculus(text, left, right):
    for side, expected in ((-1, left), (1, right)):
        found = far(parse(text), side)
        assert found.is_known
        assert found.limit == (None if expected is None else pytest.approx(expected, abs=1e-12))


@pytest.mark.parametrize(
    "text",
    [
        "sin(x) ** 2 + cos(x) ** 2",
        "sin(x) / cos(x)",
        "exp(exp(x))",
        "x * (2 + sin(x))",
        "abs(sin(x))",
        # Of a tower of exponentials only a bound is known, and no quotient: 0, infinity and 1.
        "exp(-2 * exp(x)) / exp(-exp(x))",
        "exp(-exp(x)) / exp(-exp(2 * x))",
        "square(exp(-exp(x))) / exp(-2 * exp(x))",
    ],
)
def test_what_these_rules_do_not_tell_is_not_claimed(text):
    assert not far(parse(text), 1).is_known


def test_every_limit_of_the_catalogue_agrees_with_its_values():
    compared = 0
    for name in CATALOGUE:
        for form in (parse(name), derivative(parse(name), guarded=False)):
            for side in (-1, 1):
                found = far(form, side)
                if found.limit is None or not math.isfinite(found.limit):
                    continue
                (value,) = evaluate(form, numpy.array([side * 60.0]))
                # What falls like 1 / x has not come far at 60.
                assert value == pytest.approx(found.limit, abs=0.05), name
                compared += 1
    assert compared > 120


def test_growth_is_the_same_after_scaling_and_shifting():
    for text, other in [("relu", "3 * relu(2 * x - 1) + 4"), ("exp(x)", "5 * exp(0.1 * x)")]:
        for side in (-1, 1):
            assert growth(parse(text), side) == growth(parse(other), side)
    assert growth(parse("relu"), 1) != growth(parse("square(x)"), 1)
    assert growth(parse("sin(x)"), 1) is None
