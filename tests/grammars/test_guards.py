"""Guards: where a function is not the mathematical one, as the rows of its primitives say."""

from __future__ import annotations

import numpy
import pytest

from grammars import PRIMITIVES, parse
from grammars.algebra.guards import is_held
from grammars.export.comparison import Trial
from grammars.export.function import Function
from grammars.expressions.expression import call
from grammars.primitives import Primitive

POINTS = numpy.array([-100.0, -88.5, -1.0, numpy.nan, 88.0, 88.5, 100.0])


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("exp(x)", [88.5, 100.0]),
        ("x + expm1(-x)", [-100.0, -88.5]),
        ("sinh(x)", [-100.0, -88.5, 88.5, 100.0]),
        ("cosh(sin(x)) + tanh(x)", []),
        ('exp(param("b", 100) * x)', [88.0, 88.5, 100.0]),
    ],
)
def test_an_argument_is_held_where_its_row_says(text: str, held: list[float]) -> None:
    assert POINTS[is_held(parse(text), POINTS)].tolist() == held


def test_parameters_may_have_other_values_than_their_start() -> None:
    expression = parse('exp(param("b", 100) * x)')
    points = numpy.repeat(POINTS[:, None], 2, axis=1)
    held = is_held(expression, points, parameters={"b": numpy.array([1.0, -1.0])})
    assert held.sum(axis=0).tolist() == [2, 2]


def test_a_new_guarded_primitive_is_one_for_the_exports_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = Primitive(
        name="slab",
        arity=1,
        define=lambda s, a: s.np.minimum(a, 30.0) ** 2,
        sympy=lambda m, a: a**2,
        cost=1.0,
        partials=lambda y, a: (call("mul", 2.0, a),),
        held=lambda a: call("sub", a, 30.0),
    )
    monkeypatch.setitem(PRIMITIVES, "slab", row)
    trial = Trial.of(Function(parse("slab(x)")))
    assert numpy.array_equal(trial.is_guarded, trial.x >= 30.0)
    assert trial.exact.x.max() < 30.0
