"""Every published function against a formula written independently, in value and derivative."""

import jax
import numpy
import pytest
from scipy import special, stats

from grammars import BASELINES, CATALOGUE, evaluate, parse, with_partials
from grammars.catalogue import definitions, entry_named
from grammars.numerics.compilation import start_values


def s(x):
    return 1 / (1 + numpy.exp(-x))


def sinc(x):
    return numpy.sinc(x / numpy.pi)


FORMULAS = {
    "identity": lambda x: x,
    "binary_step": lambda x: numpy.heaviside(x, 1.0),
    "sigmoid": s,
    "tanh": lambda x: 2 / (1 + numpy.exp(-2 * x)) - 1,
    "relu": lambda x: numpy.maximum(0, x),
    "leaky_relu": lambda x: numpy.where(x > 0, x, 0.01 * x),
    "elu": lambda x: numpy.where(x > 0, x, numpy.exp(x) - 1),
    "softplus": lambda x: numpy.logaddexp(0, x),
    "sum_of_sigmoids": lambda x: numpy.mean([s(x - a) for a in (-4, -2, 0, 2, 4)], axis=0),
    "swish": lambda x: x * s(x),
    "swish_beta": lambda x: x * s(x),
    "prelu": lambda x: numpy.maximum(x, 0) + 0.25 * numpy.minimum(x, 0),
    "selu": lambda x: (
        1.0507009873554805 * numpy.where(x > 0, x, 1.6732632423542772 * (numpy.exp(x) - 1))
    ),
    "gelu": lambda x: x * stats.norm.cdf(x),
    "gelu_tanh": lambda x: x / 2 * (1 + numpy.tanh((2 / numpy.pi) ** 0.5 * (x + 0.044715 * x**3))),
    "quick_gelu": lambda x: x * s(1.702 * x),
    "e_swish": lambda x: 1.375 * x * s(x),
    "mish": lambda x: x * numpy.tanh(numpy.log1p(numpy.exp(x))),
    "softsign": lambda x: x / (1 + numpy.abs(x)),
    "hard_sigmoid": lambda x: numpy.minimum(numpy.maximum(x + 3, 0), 6) / 6,
    "hard_sigmoid_keras2": lambda x: numpy.interp(x, [-2.5, 2.5], [0, 1]),
    "hard_swish": lambda x: x * numpy.interp(x, [-3, 3], [0, 1]),
    "hard_tanh": lambda x: numpy.interp(x, [-1, 1], [-1, 1]),
    "relu6": lambda x: numpy.interp(x, [0, 6], [0, 6]),
    "squared_relu": lambda x: numpy.where(x > 0, x**2, 0),
    "lisht": lambda x: x * numpy.tanh(x),
    "x_erf": lambda x: x * special.erf(x),
    "arctan": numpy.arctan,
    "sine": numpy.sin,
    "normalized_sinc": numpy.sinc,
    "gaussian": lambda x: numpy.exp(-(x**2)),
    "snake": lambda x: x + (1 - numpy.cos(2 * x)) / 2,
    "elish": lambda x: numpy.where(x > 0, x * s(x), (numpy.exp(x) - 1) * s(x)),
    "squareplus": lambda x: (x + numpy.hypot(x, 2)) / 2,
    "isru": lambda x: x / numpy.hypot(1, x),
    "tanhexp": lambda x: x * numpy.tanh(numpy.exp(x)),
    "golu": lambda x: x * stats.gumbel_r.cdf(x),
    "serf": lambda x: x * special.erf(numpy.log1p(numpy.exp(x))),
    "tanhshrink": lambda x: x - numpy.tanh(x),
    "max_sigmoid": lambda x: numpy.where(x > s(x), x, s(x)),
    "cos_minus_x": lambda x: numpy.cos(x) - x,
    "min_sin": lambda x: numpy.where(x < numpy.sin(x), x, numpy.sin(x)),
    "squared_atan_minus_x": lambda x: numpy.arctan(x) ** 2 - x,
    "max_tanh": lambda x: numpy.where(x > numpy.tanh(x), x, numpy.tanh(x)),
    "sinc_plus_x": lambda x: sinc(x) + x,
    "x_squared_asinh": lambda x: x * numpy.log(x + numpy.sqrt(x**2 + 1)) ** 2,
    "sigmoid_erf": lambda x: s(x) * special.erf(x),
    "pangaea_asinh": lambda x: numpy.log(s(x)) * numpy.arcsinh(x),
    "pangaea_linear": lambda x: x - numpy.log(s(x)),
    "gelu_sine": lambda x: x * stats.norm.cdf(x) + 0.1 * numpy.sin(x),
}

# Irregular, with zero named, and away from every kink but that one.
POINTS = numpy.concatenate([numpy.random.default_rng(1).uniform(-9, 9, 300), [0.0, 1e-3, -1e-3]])


def test_every_entry_has_a_formula_here():
    assert list(CATALOGUE) == list(FORMULAS)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_value_is_that_of_the_formula(name):
    with numpy.errstate(all="ignore"):
        expected = FORMULAS[name](POINTS)
    numpy.testing.assert_allclose(evaluate(parse(name), POINTS), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_derivative_is_that_of_the_formula(name):
    step = 1e-5
    points = POINTS[numpy.abs(POINTS) > 1e-2]
    with numpy.errstate(all="ignore"):
        formula = FORMULAS[name]
        expected = (formula(points + step) - formula(points - step)) / (2 * step)
    expression = parse(name)
    with jax.enable_x64(True):
        parameters = {n: jax.numpy.asarray(v) for n, v in start_values(expression).items()}
        _, slope, _ = with_partials(expression)(jax.numpy.asarray(points), parameters)
    numpy.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_entry_is_finite_with_a_finite_slope_far_out(name):
    expression = parse(name)
    far = jax.numpy.asarray([-1e4, -100.0, -88.5, 88.5, 100.0, 1e4], jax.numpy.float32)
    parameters = {n: jax.numpy.float32(v) for n, v in start_values(expression).items()}
    value, slope, by_parameter = with_partials(expression)(far, parameters)
    for numbers in (value, slope, *by_parameter.values()):
        assert numpy.isfinite(numbers).all()


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_is_read_again_as_it_is_printed(name):
    expression = parse(name)
    assert parse(str(expression)) == expression


def test_aliases_are_the_same_function():
    assert parse("silu") == parse("swish")
    assert parse("linear") == parse("identity") == parse("x")
    assert entry_named("silu") is CATALOGUE["swish"]
    assert entry_named("no such function") is None


def test_names_are_functions():
    assert parse("swish(swish(x))").size == 10
    assert str(parse("gelu_sine")).endswith("+ 0.1 * sin(x)")


def test_every_entry_names_a_source():
    assert all(entry.source for entry in CATALOGUE.values())


def test_names_and_aliases_are_unique():
    names = [name for e in CATALOGUE.values() for name in (e.name, *e.aliases)]
    assert len(names) == len(set(names)) == len(definitions())


def test_baselines_are_in_the_catalogue():
    assert set(BASELINES) <= set(CATALOGUE)


def test_the_two_sincs_and_the_two_hard_sigmoids_are_told_apart():
    x = numpy.array([0.5])
    assert evaluate(parse("sinc(x)"), x) == pytest.approx(numpy.sin(0.5) / 0.5)
    assert evaluate(parse("normalized_sinc"), x) == pytest.approx(2 / numpy.pi)
    assert evaluate(parse("hard_sigmoid"), x) == pytest.approx(0.5 + 0.5 / 6)
    assert evaluate(parse("hard_sigmoid_keras2"), x) == pytest.approx(0.6)
