"""Descriptions: forms, checked derivatives, published kin, and JSON."""

import json

import numpy
import pytest

from grammars import parse
from grammars.algebra.symbolic import CHECK_POINTS, analyse
from grammars.analysis.relatives import known_as, nearest, relatives
from grammars.description import describe

# Generous, since a busy machine is slow to start a child.
PATIENCE = 120.0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sigmoid(x) * x", ("swish",)),
        ("max(x, 0)", ("relu",)),
        ("clip(x + 3, 0, 6) / 6", ("hard_sigmoid",)),
        ('sigmoid(param("b", 2, per="layer") * x) * x', ("swish_beta",)),
        ('x * param("c", 1) - log_sigmoid(x * param("a", 1)) * param("b", 1)', ("pangaea_linear",)),
        ("x * sin(x)", ()),
    ],
)
def test_published_functions_are_recognised(text, names):
    assert known_as(parse(text)) == names


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("2 * sigmoid(x) - 1", "tanh(0.5 * x)"),
        ("2 * sigmoid(x) - 1", "2 * sigmoid(x) - 1"),
        ("3 * softplus(1 - 2 * x) - 4", "3 * softplus(-2 * x + 1) - 4"),
        ("cos(x)", "sine(x + 1.57079633)"),
        ("-(1.07 * sin(1.61 * x))", "-1.07 * sine(1.61 * x)"),
        ("1.68 * cos(2.2113 * x) - 3", "1.68 * sine(2.2113 * x + 1.57079633) - 3"),
        ("sin(7.3 * x + 1)", "sine(7.3 * x + 1)"),
        ("2.3 * x + square(sin(2.3 * x))", "snake(2.3 * x)"),
        ("2 * x + 1", "2 * identity(x) + 1"),
        ("log(1 + exp(x))", "softplus(x)"),
    ],
)
def test_affine_relatives_are_reported_with_their_numbers(text, formula):
    assert formula in [relative.formula for relative in relatives(parse(text))]


@pytest.mark.parametrize("text", ["x * sin(x)", "3", "log(x)"])
def test_what_has_no_relative_gets_none(text):
    assert relatives(parse(text)) == ()


def test_the_nearest_shape():
    assert nearest(parse("x * sigmoid(1.1 * x)")) in ("swish", "gelu", "quick_gelu", "e_swish")
    assert nearest(parse("log(x)")) is None


def test_sympy_simplifies_the_derivative():
    answer = analyse(parse("square(x) / 2 + x"), timeout_seconds=PATIENCE)
    assert answer is not None
    assert answer.derivative == "x + 1"
    numpy.testing.assert_allclose(answer.slopes, numpy.array(CHECK_POINTS) + 1)


def test_sympy_that_takes_too_long_is_ended():
    assert analyse(parse("x"), timeout_seconds=0.01) is None
    description = describe(parse("x * sigmoid(x)"), simplify=True, timeout_seconds=0.01)
    assert description.derivative == "sigmoid(x) + x * sigmoid(x) * sigmoid(-x)"


def test_sympy_is_asked_only_where_it_is_wanted():
    function = parse("square(x) / 2 + x")
    assert describe(function).derivative == "x + 1"
    assert describe(parse("relu")).derivative == "where(-x >= 0, 0, 1)"
    simplified = describe(parse("tanh(x) / 2"), simplify=True, timeout_seconds=PATIENCE)
    assert simplified.derivative == "1/(2*cosh(x)**2)"
    # Without its guard, which is none of mathematics.
    assert describe(parse("exp(x)")).derivative == "exp(x)"


@pytest.mark.parametrize(
    ("text", "latex", "slope"),
    [
        ("relu", r"\max\left(0, x\right)", r"\begin{cases} 0 & \text{if } -x \geq 0 \\ 1"),
        ("x ** 2", r"{x}^{2}", r"2 \cdot x"),
        ('param("beta", 1) * x', r"\beta \cdot x", r"\beta"),
        # A number with a power of ten is no base, and stands as it is elsewhere.
        ("1e-7 ** x", r"{\left(1 \cdot 10^{-7}\right)}^{x}", "-16.1"),
        ("x * 1e-7", r"x \cdot 1 \cdot 10^{-7}", r"1 \cdot 10^{-7}"),
    ],
)
def test_formulas_are_typeset(text, latex, slope):
    description = describe(parse(text))
    assert description.latex == latex
    assert description.derivative_latex.startswith(slope)


@pytest.mark.parametrize(
    "text",
    [
        "relu",  # -10 * hard_sigmoid_keras2(-0.5 * x + 2.5) + 10 is relu up to 10
        "max(0.2 * x, x)",
        "x + 1e-7 * x ** 2",
        "where(x >= -50, x, -50)",
    ],
)
def test_a_relative_holds_everywhere_or_is_none(text):
    others = [relative.name for relative in relatives(parse(text)) if relative.name != "relu"]
    assert others == []


def test_a_description_goes_to_json():
    description = describe(parse("max(x, sin(x)) ** 2"))
    document = json.loads(json.dumps(description.to_json(), allow_nan=False))
    assert {
        "expression",
        "canonical",
        "id",
        "size",
        "depth",
        "latex",
        "derivative",
        "known_as",
        "relatives",
        "properties",
    } <= set(document)
    assert all(set(p) == {"value", "decided_by"} for p in document["properties"].values())
