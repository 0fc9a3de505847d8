"""Properties of functions whose nature is known from the literature."""

import math

import pytest

from grammars import parse
from grammars.properties import properties

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
    "log(x)": {"undefined_share": pytest.approx(0.5, abs=1e-3), "limit_left": None},
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
        ("2 * sigmoid(x) - 1", "symmetry", "numeric evidence"),
        ("gelu", "smooth", "analysis"),
        ("squared_relu", "smooth", "numeric evidence"),
        ("relu", "range", "numeric evidence"),
    ],
)
def test_each_answer_says_how_it_was_decided(text, name, basis):
    assert properties(parse(text))[name].decided_by == basis


def test_the_variance_that_selu_was_made_for():
    found = properties(parse("selu"))
    assert found["mean"].value == pytest.approx(0, abs=1e-5)
    assert found["variance"].value == pytest.approx(1, abs=1e-5)
