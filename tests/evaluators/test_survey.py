"""What is done for thousands of functions must be what is done for one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from evaluators.probing.probes import probe
from evaluators.probing.shapes import shape, upright
from evaluators.probing.survey import Survey
from grammars import CATALOGUE, CachedEvaluation, Call, Expression, evaluate, load_grammar, parse

_EDGES = (
    "3", "x", "2 * x + 1", "x ** 0.5", "log(x)", "1 / x", "exp(exp(x))", "x ** 9", "x ** -1",
    "sqrt(abs(x))", "clip(x, -9, 9)", "relu(x - 4)", "relu(x - 9)", "where(x >= 0, 0, 1)",
    "0.0001 * sin(x)", "1e-12 * x * x", "x + 1e-9 * x * x", "tanh(1e5 * x)", "x / x", "0 * x",
    "param(\"a\", 0.5) * x * sigmoid(x)", "x - -0", "min(max(x, 6), -6)", "hard_sigmoid",
)  # fmt: skip


def _bred(grammar: str, count: int) -> list[Expression]:
    """Functions that share subtrees, as those of a search do."""
    random, written = Random(5), load_grammar(grammar)
    drawn = [written.sample(random, depth=(1, 4)) for _ in range(count)]
    return [*drawn, *(Call("tanh", (each,)) for each in drawn), *drawn[:5]]


@pytest.mark.parametrize("grammar", ["core", "piecewise", "parametric", "smooth"])
def test_bred_functions_are_probed_and_shaped_as_single_ones_are(grammar: str) -> None:
    functions = _bred(grammar, 120)
    surveyed = Survey()(functions)
    assert surveyed.fit.tolist() == [probe(function) is None for function in functions]
    expected = upright(np.array([shape(function) for function in functions]))
    np.testing.assert_allclose(surveyed.shapes, expected, rtol=1e-9, atol=1e-9)


def test_edges_are_told_apart_as_single_ones_are() -> None:
    functions = [parse(text) for text in (*_EDGES, *CATALOGUE)]
    verdicts = [probe(function) is None for function in functions]
    assert Survey()(functions).fit.tolist() == verdicts
    assert 10 < sum(verdicts) < len(verdicts) - 10


def test_a_function_is_surveyed_alike_in_any_company() -> None:
    functions = _bred("core", 60)
    together = Survey()(functions)
    alone = [Survey()([function]) for function in functions]
    assert together.fit.tolist() == [bool(each.fit[0]) for each in alone]
    np.testing.assert_array_equal(together.shapes, [each.shapes[0] for each in alone])


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("kept", [0, 7, 4096])
def test_values_are_those_of_the_reference(precision: type, kept: int) -> None:
    points = np.linspace(-9.0, 9.0, 37).astype(precision)
    evaluating = CachedEvaluation(points, kept=kept)
    functions = [*_bred("core", 60), *map(parse, _EDGES)]
    values = evaluating(functions)
    assert values.dtype == precision
    np.testing.assert_array_equal(values, [evaluate(function, points) for function in functions])


def test_zeros_of_either_sign_are_two_constants() -> None:
    points = np.array([1.0, -1.0])
    plus, minus = CachedEvaluation(points)([parse("x / 0"), parse("x / (-0)")])
    assert plus.tolist() == (-minus).tolist() == [np.inf, -np.inf]
