"""Properties of functions whose nature is known from the literature."""

import math

import pytest

from grammars import parse
from grammars.analysis.properties import properties

KNOWN = {
    "relu": {
        "range": [0.0, "inf"],
        "bounded_below": True,
        "bounded_above": False,
        "limit_left": 0.0,
        "limit_right": "inf",
        "monotone": "increasing",
        "convex": "convex",
        "symmetry": "neither",
        "zero_at_zero": True,
        "smooth": False,
        "kinks": [0.0],
        "derivative_range": [0.0, 1.0],
        "zero_derivative_share": 0.5,
        "dying_side": "left",
        "saturating": "left",
        "lipschitz_constant": 1.0,
        "mean": pytest.approx(1 / math.sqrt(2 * math.pi), abs=1e-6),
        "gain": pytest.approx(math.sqrt(2), abs=1e-6),
    },
    "sigmoid": {
        "range": [0.0, 1.0],
        "derivative_range": [0.0, 0.25],
        "saturating": "both",
        "dying_side": "none",
        "zero_at_zero": False,
        "convex": "neither",
    },
    "tanh": {"symmetry": "odd", "range": [-1.0, 1.0], "mean": 0.0, "lipschitz_constant": 1.0},
    "identity": {"convex": "affine", "variance": 1.0, "gain": 1.0, "saturating": "none"},
    "binary_step": {
        "jumps": [0.0],
        "kinks": [],
        "zero_derivative_share": 1.0,
        "dying_side": "both",
        "lipschitz_constant": "inf",
        "mean": 0.5,
    },
    "gaussian": {"symmetry": "even", "limit_left": 0.0, "limit_right": 0.0, "monotone": "no"},
    "softplus": {"convex": "convex", "smooth": True, "limit_left": 0.0, "range": [0.0, "inf"]},
    "arctan": {"limit_right": pytest.approx(math.pi / 2, abs=1e-6), "saturating": "both"},
    "hard_swish": {"kinks": [-3.0, 3.0], "range": [-0.375, "inf"], "dying_side": "left"},
    "gelu": {"range": [pytest.approx(-0.169971, abs=1e-6), "inf"], "monotone": "no"},
    "sine": {"limit_left": None, "limit_right": None, "range": [-1.0, 1.0], "saturating": "none"},
    "asinh(x)": {"limit_right": "inf", "bounded_above": False, "lipschitz_constant": 1.0},
    "exp(x)": {"limit_right": "inf", "lipschitz_constant": "inf", "bounded_below": True},
    "squared_relu": {"smooth": True, "kinks": [], "convex": "convex"},
    "abs(x - 1) + abs(x + 2)": {"kinks": [-2.0, 1.0], "convex": "convex"},
    "log(x)": {
        "undefined_share": pytest.approx(0.5, abs=1e-3),
        "limit_left": None,
        "derivative_range": [0.0, "inf"],
        "bounded_below": False,
        "smooth": True,
    },
    # Poles: nothing is bounded that goes to infinity at one, and no sum over points is a mean.
    "sin(x) / cos(x)": {
        "range": ["-inf", "inf"],
        "bounded_below": False,
        "bounded_above": False,
        "limit_left": "unknown",
        "smooth": False,
        "mean": "unknown",
        "lipschitz_constant": "inf",
    },
    "1 / x": {
        "range": ["-inf", "inf"],
        "bounded_below": False,
        "limit_right": 0.0,
        "derivative_range": ["-inf", 0.0],
        "variance": "unknown",
    },
    "1 / (x - 0.0005)": {"range": ["-inf", "inf"], "derivative_range": ["-inf", 0.0]},
    "1 / sin(x)": {"range": ["-inf", "inf"], "bounded_above": False},
    "x ** (-2)": {
        "range": [0.0, "inf"],
        "bounded_below": True,
        "derivative_range": ["-inf", "inf"],
    },
    "log(abs(x))": {"range": ["-inf", "inf"], "limit_left": "inf", "smooth": False},
    "1 / (1 + exp(x))": {"range": [0.0, 1.0], "smooth": True, "mean": 0.5},
    "x / (x + 3e9)": {"limit_right": 1.0, "limit_left": 1.0},
    "tanh(1 / x)": {"range": [-1.0, 1.0], "smooth": False},
    # No slope where there is no value.
    "sqrt(x)": {"range": [0.0, "inf"], "derivative_range": [0.0, "inf"]},
    "log1p(x)": {"derivative_range": [0.0, "inf"], "limit_left": None},
    "x * log(x)": {"range": [pytest.approx(-math.exp(-1), abs=1e-6), "inf"]},
    # What swings ever wider, or in a way that analysis does not see through, has no known range.
    "x * sin(x)": {"range": ["unknown", "unknown"], "bounded_above": "unknown"},
    "sin(x) ** 2 + cos(x) ** 2": {"limit_right": "unknown", "range": [1.0, 1.0]},
    # Guards end an exponential in the arithmetic, not in its analysis.
    "sigmoid(x) * exp(x)": {"limit_right": "inf", "limit_left": 0.0},
    "-x": {"monotone": "decreasing"},
    "3": {"monotone": "constant", "variance": 0.0, "mean": 3.0},
    "elu": {"kinks": [], "limit_left": -1.0, "dying_side": "none"},
    "selu": {"kinks": [0.0]},
}


@pytest.mark.parametrize("text", KNOWN)
def test_the_properties_are_the_known_ones(text):
    found = properties(parse(text))
    for name, expected in KNOWN[text].items():
        assert found[name].value == expected, name


@pytest.mark.parametrize(
    ("text", "name", "basis"),
    [
        ("tanh", "symmetry", "analysis"),
        ("2 * sigmoid(x) - 1", "symmetry", "numerical evidence"),
        ("gelu", "smooth", "analysis"),
        ("squared_relu", "smooth", "numerical evidence"),
        ("relu", "range", "numerical evidence"),
    ],
)
def test_each_answer_says_how_it_was_decided(text, name, basis):
    assert properties(parse(text))[name].decided_by == basis


def test_the_variance_that_selu_was_made_for():
    found = properties(parse("selu"))
    assert found["mean"].value == pytest.approx(0, abs=1e-5)
    assert found["variance"].value == pytest.approx(1, abs=1e-5)
