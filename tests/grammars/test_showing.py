"""What an expression does in Python and in notebooks: values, derivative, formula, curves."""

from __future__ import annotations

from xml.etree import ElementTree

import jax
import numpy
import pytest

from grammars import CATALOGUE, evaluate, parse, parse_activation, to_jax
from grammars.description import describe
from grammars.reading.cursor import MAX_TEXT_LENGTH

X = numpy.linspace(-3.0, 3.0, 41)
TANHEXP = "x * tanh(exp(x))"


@pytest.mark.parametrize("kind", [numpy.float32, numpy.float64])
def test_an_expression_is_called_on_numpy_in_the_precision_that_comes(kind: type) -> None:
    given = X.astype(kind).reshape(41, 1)
    found = parse(TANHEXP)(given)
    assert (found.dtype, found.shape) == (given.dtype, given.shape)
    assert numpy.array_equal(found, evaluate(parse(TANHEXP), given))
    assert parse("3")(given).shape == given.shape, "a constant too"


def test_numbers_give_numbers_and_integers_are_no_reason_to_cut() -> None:
    gelu = parse("gelu")
    assert gelu(1) == gelu(1.0) == pytest.approx(0.8413447)
    assert isinstance(gelu(1), float)
    assert gelu([1, -1]) == pytest.approx([0.8413447, -0.1586553])
    assert numpy.isnan(parse("log(x)")(-1.0))


def test_jax_arrays_stay_with_jax_also_while_it_traces() -> None:
    f = parse(TANHEXP)
    given = jax.numpy.asarray(X, jax.numpy.float32)
    found = f(given)
    assert isinstance(found, jax.Array)
    assert numpy.array_equal(found, to_jax(f)(given, {}))
    slopes = jax.jit(jax.vmap(jax.grad(f)))(given)
    numpy.testing.assert_allclose(slopes, f.derivative(X), rtol=2e-5, atol=1e-5)
    assert f(jax.numpy.arange(3)).dtype == jax.numpy.float32


def test_an_expression_is_compiled_as_any_function_is() -> None:
    f, given = parse(TANHEXP), jax.numpy.asarray(X, jax.numpy.float32)
    for function in (f, f.derivative, parse("x"), parse("2 + 0 * x")):
        compiled = jax.jit(function)
        for _ in range(2):
            numpy.testing.assert_allclose(compiled(given), function(given), rtol=1e-6, atol=1e-6)
    numpy.testing.assert_allclose(jax.checkpoint(f)(given), f(given), rtol=1e-6)


def test_a_traced_parameter_makes_jax_compute_plain_points_too() -> None:
    f = parse('param("a", 0.5, per="layer") * x')
    assert jax.grad(lambda a: f(3.0, a=a))(1.0) == 3.0
    assert jax.grad(lambda a: f(3, a=a))(1.0) == 3.0
    slope = jax.grad(lambda a: f(numpy.arange(4.0), a=a).sum())(1.0)
    assert slope == 6.0


def test_parameters_start_where_they_say_and_may_be_given() -> None:
    f = parse('param("a", 0.5, per="layer") * x')
    assert f(2.0) == 1.0
    assert f(2.0, a=3.0) == 6.0
    assert f(numpy.ones((2, 3)), a=numpy.arange(3.0)).tolist() == [[0.0, 1.0, 2.0]] * 2
    with pytest.raises(TypeError, match="has no trainable parameter 'b'; it has a"):
        f(2.0, b=1.0)
    with pytest.raises(TypeError, match="no trainable parameter 'a'; it has none"):
        parse("relu")(2.0, a=1.0)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_published_function_is_shown(name: str) -> None:
    f = parse(name)
    assert eval(repr(f), {"parse": parse}) == f  # noqa: S307  # our own text
    assert f._repr_latex_() == f"$\\displaystyle f(x) = {f.latex}$"
    page = ElementTree.fromstring(f"<div>{f._repr_html_()}</div>")
    curves = page.findall(".//path[@stroke-width='2.2']")
    assert len(curves) == 2, "f and f'"
    assert all(len(curve.get("d", "")) > 500 for curve in curves)
    step = 1e-6
    between = X[numpy.abs(X - numpy.round(X)) > 0.01]  # kinks lie at whole numbers
    slopes = (f(between + step) - f(between - step)) / (2 * step)
    numpy.testing.assert_allclose(f.derivative(between), slopes, rtol=1e-4, atol=1e-6)


def test_a_curve_is_interrupted_where_it_leaves_the_picture() -> None:
    page = ElementTree.fromstring(f"<div>{parse('1 / x')._repr_html_()}</div>")
    curve = page.find(".//path[@stroke-width='2.2']")
    assert curve is not None
    assert curve.get("d", "").count("M") == 2


def test_what_can_be_read_is_shown_although_its_derivative_could_not_be_read() -> None:
    f = parse("mish(" * 6 + "x" + ")" * 6)
    slope = f.derivative
    assert len(str(slope)) > MAX_TEXT_LENGTH
    between = X + 0.01
    slopes = (f(between + 1e-6) - f(between - 1e-6)) / 2e-6
    numpy.testing.assert_allclose(slope(between), slopes, rtol=1e-4, atol=1e-6)
    assert "derivative" in describe(f).to_json()


def test_functions_of_layers_read_back_too() -> None:
    assert repr(parse_activation("[relu, tanh]")) == "parse_activation('[relu(x), tanh(x)]')"


def test_the_front_door_gives_expressions_and_live_modules() -> None:
    import actsearch
    from grammars.export import live

    assert isinstance(actsearch.parse(TANHEXP), actsearch.Expression)
    for framework in ("pytorch", "flax", "keras", "equinox"):
        assert getattr(actsearch, framework) is getattr(live, framework)
    module = actsearch.equinox(TANHEXP)
    numpy.testing.assert_allclose(module(X), parse(TANHEXP)(X), rtol=1e-5)
