"""Properties of functions whose nature is known from the literature."""

import math

import pytest

from grammars import parse
from grammars.analysis.properties import properties
from search.candidates.requirements import unmet
from search.settings import RequireSettings

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
    # What bends or breaks far from 0.
    "clip(x, -20, 20)": {"convex": "neither", "smooth": False, "kinks": [-20.0, 20.0]},
    "clip(x, 0, 20)": {"convex": "neither", "kinks": [0.0, 20.0]},
    "clip(x, -1e6, 1e6)": {"convex": "neither", "smooth": False, "kinks": [-1e6, 1e6]},
    "max(x, 0.1 * x + 20)": {
        "convex": "convex",
        "smooth": False,
        "kinks": [pytest.approx(200 / 9, abs=1e-8)],
    },
    "where(x - 12 >= 0, x + 5, x)": {
        "smooth": False,
        "jumps": [12.0],
        "kinks": [],
        "lipschitz_constant": "inf",
        "convex": "neither",
    },
    "where(x - 5000 >= 0, x - 5, x)": {"monotone": "no", "jumps": [5000.0]},
    "relu(10 - abs(x - 5000))": {
        "range": [0.0, 10.0],
        "derivative_range": [-1.0, 1.0],
        "kinks": [4990.0, 5000.0, 5010.0],
    },
    "abs(x - 12) - 2 * relu(x - 12)": {"convex": "affine", "derivative_range": [-1.0, -1.0]},
    "relu(x ** 2 - 400)": {"kinks": [-20.0, 20.0], "convex": "convex", "smooth": False},
    "max(-3, relu(x - 15))": {"kinks": [15.0]},
    "1e9 * tanh(x / 1e9)": {"convex": "neither", "smooth": True},
    "where(log_sigmoid(x) >= 0, 1, 0)": {"jumps": [], "smooth": True},
    # A curve is no kink, however steep.
    "x ** 4 + square(relu(x - 5000))": {"smooth": True, "kinks": [], "convex": "convex"},
    "abs(x) ** 1.5": {"smooth": True, "kinks": []},
    # A guard is no bend.
    "exp(5 * x)": {"convex": "convex", "mean": pytest.approx(math.exp(12.5), rel=1e-6)},
    "cosh(5 * x)": {"convex": "convex"},
    "exp(exp(x))": {"convex": "convex"},
    "exp(100 - x ** 2)": {"convex": "neither"},
    "where(x >= 0, clip(x, 0, 100), expm1(x))": {"convex": "neither", "kinks": [100.0]},
    "sqrt(x + 50)": {"convex": "undefined somewhere"},
    "0 / square(sigmoid(x))": {"convex": "affine"},
    # An integral that a sum does not tell, since it is infinite or since most of it lies beyond.
    "exp(0.5 * x ** 2)": {"mean": "unknown", "variance": "unknown", "gain": "unknown"},
    "exp(0.4 * x ** 2)": {
        "mean": pytest.approx(math.sqrt(5), abs=1e-6),
        "variance": "unknown",
        "gain": "unknown",
    },
    "exp(x ** 2)": {"mean": "unknown", "variance": "unknown"},
    "exp(10 * x)": {"mean": "unknown"},
    "tanh(exp(x ** 2))": {"mean": pytest.approx(0.9002371, abs=1e-6)},
    "max(-x, atan(sinh(x ** 4)))": {"variance": pytest.approx(0.4022496, abs=1e-6)},
    # Towers of exponentials: quotients of them are not known, themselves they vanish.
    "exp(-2 * exp(x)) / exp(-exp(x))": {"limit_right": "unknown"},
    "x * exp(-exp(-x))": {"limit_left": 0.0, "bounded_below": True},
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


def test_what_breaks_for_ever_is_said_to_break_where_it_is_seen_best():
    kinks = properties(parse("abs(sin(x))"))["kinks"].value
    assert kinks == pytest.approx([k * math.pi for k in range(-10, 10)], abs=1e-8)


def test_a_function_that_breaks_far_away_is_not_smooth_enough():
    require = RequireSettings(smooth=True)
    assert unmet(parse("clip(x, -20, 20)"), require) == (
        "required: a smooth function, and it breaks at -20, 20"
    )
    assert unmet(parse("x * sigmoid(x)"), require) is None


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("exp(-(x - 30) ** 2)", [0, 1]),
        ("1 / (1 + square(x - 30))", [0, 1]),
        ("x / (1 + square(x - 40))", [-(math.sqrt(1601) - 40) / 2, (math.sqrt(1601) + 40) / 2]),
    ],
)
def test_an_extremum_far_away_is_found_between_the_points_that_are_looked_at(text, ends):
    assert properties(parse(text))["range"].value == pytest.approx(ends, rel=1e-6)
