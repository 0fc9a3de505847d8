"""What stands inside itself many times is analysed in the size that it is written in."""

import numpy
import pytest

from grammars import evaluate, parse
from grammars.analysis.properties import properties
from grammars.analysis.singularities import bounds
from grammars.numerics.derivative import derivative

POINTS = numpy.linspace(-3.0, 3.0, 601)


def nested(pattern, *, times):
    text = "x"
    for _ in range(times):
        text = pattern.format(text)
    return parse(text)


@pytest.mark.parametrize("pattern", ["abs({})", "sinc({})", "asinh({})", "abs(sin({}))"])
def test_bounds_of_what_is_nested_hold(pattern):
    function = nested(pattern, times=28)
    low, high = bounds(function, domain=(-3.0, 3.0))
    values = evaluate(function, POINTS)
    assert -3.1 < low <= values.min()
    assert values.max() <= high < 3.1


def test_the_slope_of_nested_sizes_does_not_double_with_each():
    few, many = (derivative(nested("abs(sin({}))", times=n)).size for n in (8, 16))
    # Each factor has one argument, which is as long as what is written inside.
    assert many < 4 * few


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_slope_of_nested_sizes_is_that_of_the_values(n):
    function, step = nested("abs(0.9 * {} - 1)", times=n), 1e-6
    differences = evaluate(function, POINTS + step) - evaluate(function, POINTS - step)
    slopes = evaluate(derivative(function), POINTS)
    is_smooth = numpy.abs(differences / (2 * step) - slopes) < 1e-6
    assert is_smooth.sum() >= len(POINTS) - 2**n
    assert len(numpy.unique(numpy.abs(slopes[is_smooth]).round(9))) == 1


@pytest.mark.parametrize("text", ["sinc(sinc(sinc(sinc(x))))", "abs(sin(abs(sin(abs(sin(x))))))"])
def test_what_is_nested_has_properties(text):
    assert properties(parse(text))["symmetry"].value == "even"


def test_what_is_nested_often_has_properties_too():
    assert properties(nested("abs({})", times=40))["kinks"].value == [0.0]
    assert properties(nested("abs({} - 1)", times=20))["derivative_range"].value == [-1.0, 1.0]
