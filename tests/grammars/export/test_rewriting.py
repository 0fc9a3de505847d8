"""Derivatives, folding, guards and recognition, before any target prints."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy
import pytest

from grammars import CATALOGUE, evaluate, parse, to_jax
from grammars.export.comparison import Trial
from grammars.export.function import Function
from grammars.export.lowering import (
    INFINITY,
    NOT_A_NUMBER,
    ExportError,
    fold,
    guard_branches,
    stabilise,
)
from grammars.export.pytorch_lean import slopes as slopes_of
from grammars.export.recognition import WHOLE_FUNCTIONS, recognise
from grammars.export.reference import points
from grammars.export.targets import TARGETS
from grammars.expressions.expression import Call, Constant, X
from grammars.numerics.derivative import derivative

POINTS = numpy.linspace(-6.03, 6.11, 241)


@pytest.mark.parametrize("name", CATALOGUE)
def test_derivatives_are_those_of_central_differences(name: str) -> None:
    expression = parse(CATALOGUE[name].text)
    step = 1e-6
    sides = evaluate(expression, POINTS + step), evaluate(expression, POINTS - step)
    numpy.testing.assert_allclose(
        evaluate(derivative(expression), POINTS), (sides[0] - sides[1]) / (2 * step), atol=2e-7
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqrt(4) * x", "2 * x"),
        ("where(2 - 1 >= 0, x, 1)", "x"),
        ("x - -2", "x + 2"),
        ("x ** (1 + 1)", "x ** 2"),
    ],
)
def test_constants_are_folded(text: str, expected: str) -> None:
    assert fold(parse(text)) == parse(expected)


def test_folding_reaches_numbers_that_the_language_cannot_write() -> None:
    assert fold(parse("log(0 * 1)")) == Call("neg", (INFINITY,))
    assert fold(parse("sqrt(1 - 2)")) == NOT_A_NUMBER


def test_only_branches_that_spoil_gradients_are_guarded() -> None:
    harmless = parse("where(x >= 0, x, expm1(x))")
    assert guard_branches(harmless) == harmless
    assert str(guard_branches(parse("where(x >= 0, sqrt(x + 1), x)"))) == (
        "where(x >= 0, sqrt(where(x >= 0, x, 1) + 1), x)"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sigmoid(x) * x", Call("silu", (parse("x"),))),
        ("tanh(x) * sigmoid(tanh(x))", Call("silu", (parse("tanh(x)"),))),
        ("x * (erf(x / sqrt(2)) + 1) / 2", Call("gelu", (parse("x"),))),
        ("(x + abs(x)) / 2", Call("relu", (parse("x"),))),
        ("x - log_sigmoid(x)", Call("softplus", (parse("x"),))),
        ("2 * sigmoid(2 * x) - 1", Call("tanh", (parse("x"),))),
    ],
)
def test_known_functions_are_recognised_however_they_are_written(text: str, expected: Call) -> None:
    assert recognise(parse(text), WHOLE_FUNCTIONS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log(sigmoid(2 * x))", "log_sigmoid(2 * x)"),
        ("log(1 + square(x))", "log1p(square(x))"),
        ("log(exp(x) - 1 + 1)", "log1p(expm1(x))"),
        ("log(1 + 2)", "log(1 + 2)"),
    ],
)
def test_what_loses_digits_is_written_in_its_stable_form(text: str, expected: str) -> None:
    assert stabilise(parse(text)) == parse(expected)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("where({} >= 0, {}, 0)", "relu"),
        ("where({} > 0, {}, 0.01 * {})", "leaky_relu"),
        ("where({} >= 0, {}, expm1({}))", "elu"),
    ],
)
def test_a_known_function_of_what_may_be_nan_is_nan_there(text: str, known: str) -> None:
    total, partial = "tanh(x)", "log(x)"
    of_total = parse(text.replace("{}", total))
    assert recognise(of_total, WHOLE_FUNCTIONS) == Call(known, (parse(total),))
    of_partial = parse(text.replace("{}", partial))
    found = recognise(of_partial, WHOLE_FUNCTIONS)
    is_nan = bool(numpy.isnan(evaluate(of_partial, numpy.array(-1.0))))
    assert found == (Call(known, (parse(partial),)) if is_nan else of_partial)


def nested(text: str, count: int) -> str:
    return text if count == 0 else text.replace("x", f"({nested(text, count - 1)})")


@pytest.mark.parametrize(
    ("text", "count"),
    [("log(1 + x)", 20), ("sinc(x)", 12), ("abs(x)", 28), ("sinh(x)", 20), ("abs(x) + 1", 25)],
)
def test_what_a_lowering_repeats_is_rewritten_once(text: str, count: int) -> None:
    # Without that each level doubles the work, or worse.
    function = Function(parse(nested(text, count)))
    for target in ("numpy", "c", "pytorch", "latex"):
        assert TARGETS[target].render(function)
    assert Trial.of(function).expected.value.shape == points().shape
    pytest.importorskip("onnx", reason="ONNX files are written with the package onnx")
    assert TARGETS["onnx"].render(function)


def test_zeros_of_either_sign_are_rewritten_apart() -> None:
    largest, smallest = INFINITY, Call("neg", (INFINITY,))
    folded = fold(parse("max(x + 1 / 0, x + 1 / -0)"))
    assert folded == Call("max", (Call("add", (X, largest)), Call("sub", (X, largest))))
    assert fold(parse("x * (1 / -0)")) == Call("mul", (X, smallest))


def test_what_only_resembles_a_known_function_is_left_alone() -> None:
    nearly = parse("x * sigmoid(1.0000001 * x)")
    assert recognise(nearly, WHOLE_FUNCTIONS) == nearly
    assert recognise(Constant(1.0), WHOLE_FUNCTIONS) == Constant(1.0)


@pytest.mark.parametrize(
    "text",
    [
        "clip(x, 0, 65504)",
        "min(softplus(x), 60000)",
        "min(x, 2000) * sigmoid(x)",
        "clip(square(x), 0, 2000)",
        "log(sigmoid(x) + 1e-14)",
        "1 / (relu(x) + 1e-14)",
    ],
)
def test_caps_and_what_keeps_zeros_away_are_not_lost_in_a_known_function(text: str) -> None:
    assert recognise(parse(text), WHOLE_FUNCTIONS) == parse(text)


def test_a_power_of_a_half_is_a_root_in_every_package() -> None:
    x = numpy.array([-numpy.inf, -1.0, -0.0, 0.0, 4.0])
    power, root = parse("x ** 0.5"), parse("sqrt(x)")
    numpy.testing.assert_array_equal(evaluate(power, x), evaluate(root, x))
    numpy.testing.assert_array_equal(to_jax(power)(jnp.asarray(x), {}), evaluate(root, x))
    slopes = evaluate(derivative(power), x), evaluate(derivative(root), x)
    numpy.testing.assert_array_equal(*slopes)
    assert Function(parse("x ** 0.5")).value == root


@pytest.mark.parametrize("text", ['relu(x) ** param("p", 2)', 'abs(x) ** param("p", 1.5)'])
def test_an_exponent_has_no_say_where_its_base_is_zero(text: str) -> None:
    function = Function(parse(text))
    _, by_exponent = slopes_of(function)
    x = numpy.array([-1.0, 0.0, 2.0])
    expected = jax.vmap(
        jax.grad(lambda p, x: to_jax(function.expression)(x, {"p": p})), in_axes=(None, 0)
    )(jnp.float32(function.parameters[0].value), jnp.asarray(x, jnp.float32))
    numpy.testing.assert_allclose(evaluate(by_exponent, x), expected, rtol=1e-6)


def test_pieces_within_pieces_are_refused_before_they_fill_the_memory() -> None:
    text = "0"
    for number in range(14):
        text = f"where(x - {number} >= 0, {text} + sqrt(x - {number}), 0)"
    with pytest.raises(ExportError, match=r"pieces within pieces, .* at most 10,000 can be exp"):
        Function(parse(text)).lowered(())
