"""Fingerprints: equal functions are found however they are written, different ones never merge."""

import os
from random import Random

import numpy
import pytest

from grammars import FunctionIndex, canonical, evaluate, fingerprint, parse, same_function
from grammars.expressions.expression import Expression, call, substitute
from tests.grammars.generating import random_expression

# The whole battery takes minutes; the usual run takes a tenth of it.
FULL = bool(os.environ.get("ACTSEARCH_FULL_TESTS"))

# The tests alone know these points: neither on a grid nor among those of the fingerprint.
HIDDEN = numpy.sort(numpy.random.default_rng(20).uniform(-12, 12, 4001))

# Each holds for every f whose values are moderate.
IDENTITIES = [
    ("x", "x + 0"),
    ("x", "-(-x)"),
    ("x", "1 * x"),
    ("x", "max(x, x)"),
    ("x", "min(x, x)"),
    ("x", "relu(x) - relu(-x)"),
    ("x", "max(x, 0) + min(x, 0)"),
    ("x", "softplus(x) - softplus(-x)"),
    ("2 * x", "x + x"),
    ("square(x)", "x * x"),
    ("square(x)", "abs(x) ** 2"),
    ("cube(x)", "x * square(x)"),
    ("abs(x)", "max(x, -x)"),
    ("abs(x)", "relu(x) + relu(-x)"),
    ("abs(x)", "sqrt(x * x)"),
    ("relu(x)", "(x + abs(x)) / 2"),
    ("relu(x)", "where(x >= 0, x, 0)"),
    ("relu(x)", "relu(relu(x))"),
    ("tanh(x)", "2 * sigmoid(2 * x) - 1"),
    ("tanh(x)", "-tanh(-x)"),
    ("tanh(x / 2)", "2 * sigmoid(x) - 1"),
    ("sigmoid(x)", "1 - sigmoid(-x)"),
    ("sigmoid(x)", "(1 + tanh(x / 2)) / 2"),
    ("softplus(x)", "x - log_sigmoid(x)"),
    ("softplus(x)", "-log_sigmoid(-x)"),
    ("sin(2 * x)", "2 * sin(x) * cos(x)"),
    ("cos(2 * x)", "1 - 2 * square(sin(x))"),
    ("square(sin(x))", "1 - square(cos(x))"),
    ("erf(x)", "-erf(-x)"),
    ("max(x, 1)", "1 + relu(x - 1)"),
    ("min(x, 1)", "-max(-x, -1)"),
    ("clip(x, -1, 1)", "min(max(x, -1), 1)"),
]


def moderate(expression: Expression) -> bool:
    values = evaluate(expression, numpy.concatenate([HIDDEN, [-1e4, -100, 100, 1e4]]))
    return bool((numpy.abs(values) < 1e5).all())


def test_named_equalities_of_the_field():
    assert same_function(parse("x - log_sigmoid(x)"), parse("softplus(x)"))
    assert same_function(parse("(x + abs(x)) / 2"), parse("relu(x)"))
    assert same_function(parse("2 * sigmoid(x) - 1"), parse("tanh(x / 2)"))
    assert same_function(parse("x * erf(x / sqrt(2))"), parse("2 * gelu(x) - x"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x", "x + 1e-6"),
        ("x", "x / x * x"),
        ("sinc(x)", "sin(x) / x"),
        ("x", "min(x, 60)"),
        ("x", "exp(log(x))"),
        ("relu(x)", "softplus(50 * x) / 50"),
        ("x", "x + exp(-square(200 * (x - 0.25)))"),
        ('param("a", 1) * x', "x"),
        ('param("a", 1) * x', 'param("b", 1) * x'),
        ('param("a", 1) * x', 'param("a", 1, per="layer") * x'),
        ('param("a", 1) * x', 'param("a", 1) ** 2 * x'),
    ],
)
def test_different_functions_stay_different(first, second):
    assert not same_function(parse(first), parse(second))


def test_equal_functions_with_parameters_are_found():
    assert same_function(parse('param("a", 1) * x + x'), parse('x * (1 + param("a", 1))'))


def test_the_fingerprint_has_one_value_a_point_and_assignment():
    assert fingerprint(parse("x")).shape == (64,)
    assert fingerprint(parse('param("a", 1) * x')).shape == (192,)
    assert fingerprint(parse("1")).dtype == numpy.float64


def test_infinities_and_nan_are_part_of_it():
    values = fingerprint(parse("log(x)"))
    assert numpy.isnan(values).any()
    assert numpy.isneginf(values).any()
    assert same_function(parse("log(x)"), parse("log(x * 1)"))


def test_an_index_answers_with_the_key_of_an_equal_function():
    index = FunctionIndex()
    assert index.find(parse("relu(x)")) is None
    index.add("first", parse("relu(x)"))
    assert index.find(parse("(x + abs(x)) / 2")) == "first"
    assert index.find(parse("(x + abs(x)) / 3")) is None
    assert index.find_or_add("second", parse("max(x, 0)")) == "first"
    assert index.find_or_add("third", parse("tanh(x)")) == "third"
    assert len(index) == 2


def test_rounding_never_hides_an_equal_function():
    index = FunctionIndex()
    constants = numpy.random.default_rng(3).uniform(-3, 3, 500)
    for number, c in enumerate(constants):
        index.add(str(number), call("mul", float(c), parse("tanh(x)")))
    for number, c in enumerate(constants):
        twin = call("mul", float(c), parse("(1 - exp(-2 * x)) / (1 + exp(-2 * x))"))
        halves = call("add", *[call("mul", float(c / 2), parse("tanh(x)"))] * 2)
        assert index.find(halves) == str(number)
        assert index.find(twin) in (None, str(number))


def test_equal_pairs_made_by_identities_are_found():
    random = Random(5)
    found = total = 0
    for _ in range(2000 if FULL else 600):
        left, right = map(parse, random.choice(IDENTITIES))
        inner = random_expression(random, random.randint(1, 6))
        outer = random_expression(random, random.randint(1, 6))
        first = substitute(outer, substitute(left, inner))
        second = substitute(outer, substitute(right, inner))
        if not (moderate(inner) and moderate(first) and first.uses_input):
            continue
        total += 1
        same_form = canonical(first) == canonical(second)
        found += same_form or same_function(first, second)
    assert total > 200
    assert found >= 0.98 * total, f"{found} of {total}"


def perturbed(random: Random, expression: Expression) -> Expression:
    """A neighbour that is close to the expression, and now and then equal to it."""
    scale = random.choice([1.0, 1 + 1e-4, 1 + 1e-6, 1 - 1e-3])
    shift = random.choice([0.0, 0.0, 1e-4, -1e-6])
    inner = call("add", call("mul", scale, parse("x")), shift)
    return substitute(expression, inner)


def test_different_functions_are_never_merged():
    random = Random(17)
    merged = 0
    for trial in range(20_000 if FULL else 2_000):
        first = random_expression(random, random.randint(1, 12))
        if trial % 2:
            second = perturbed(random, first)
        else:
            second = random_expression(random, random.randint(1, 6))
        if canonical(first) != canonical(second) and not same_function(first, second):
            continue
        merged += 1
        values, others = evaluate(first, HIDDEN), evaluate(second, HIDDEN)
        both = numpy.isfinite(values) & numpy.isfinite(others)
        size = 1 + numpy.abs(values[both])
        assert (numpy.abs(values - others)[both] <= 1e-5 * size).all(), f"{first} is not {second}"
    assert merged > 100
