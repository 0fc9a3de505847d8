"""Primitives of several arguments: arithmetic, extrema and choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from grammars import intervals
from grammars.building import ONE, multiply, negate, select
from grammars.expression import Constant, Expression, call
from grammars.primitives.row import Arrays, Primitive


def _pow(arrays: Arrays, a: Any, b: Any) -> Any:
    # A whole exponent is exact for negative bases, and its derivative needs no logarithm.
    if isinstance(b, float) and b.is_integer() and abs(b) <= 64:
        return _whole_power(arrays, a, int(b))
    return arrays.np.power(a, b)


def _whole_power(arrays: Arrays, a: Any, exponent: int) -> Any:
    if exponent < 0:
        return arrays.np.divide(1.0, _whole_power(arrays, a, -exponent))
    if exponent == 0:
        return a * 0.0 + 1.0
    half = _whole_power(arrays, a, exponent // 2) if exponent > 1 else 1.0
    return half * half * a if exponent % 2 else half * half


def _power_slopes(y: Expression, a: Expression, b: Expression) -> tuple[Expression, ...]:
    lower = Constant(b.value - 1.0) if isinstance(b, Constant) else call("sub", b, 1.0)
    by_base = multiply(b, a if lower == ONE else call("pow", a, lower))
    return by_base, call("mul", y, call("log", a))


def _chosen_slope(operands: Sequence[Expression], slopes: Sequence[Expression]) -> Expression:
    return select(operands[0], slopes[1], slopes[2])


ROWS: Final = (
    Primitive(
        name="add",
        arity=2,
        define=lambda s, a, b: a + b,
        sympy=lambda m, a, b: a + b,
        cost=0.3,
        partials=lambda y, a, b: (ONE, ONE),
        total=True,
        commutative=True,
        bounds=intervals.add,
    ),
    Primitive(
        name="sub",
        arity=2,
        define=lambda s, a, b: a - b,
        sympy=lambda m, a, b: a - b,
        cost=0.3,
        partials=lambda y, a, b: (ONE, Constant(-1.0)),
        total=True,
        bounds=lambda a, b: intervals.add(a, intervals.negate(b)),
    ),
    Primitive(
        name="mul",
        arity=2,
        define=lambda s, a, b: a * b,
        sympy=lambda m, a, b: a * b,
        cost=0.5,
        partials=lambda y, a, b: (b, a),
        total=True,
        commutative=True,
        bounds=intervals.multiply,
    ),
    Primitive(
        name="div",
        arity=2,
        define=lambda s, a, b: s.np.divide(a, b),
        sympy=lambda m, a, b: a / b,
        cost=1.5,
        partials=lambda y, a, b: (call("div", 1.0, b), negate(call("div", y, b))),
        bounds=intervals.divide,
    ),
    Primitive(
        name="pow",
        arity=2,
        define=_pow,
        sympy=lambda m, a, b: a**b,
        cost=8.0,
        partials=_power_slopes,
        slots=("any", "constant"),
        bounds=intervals.power,
    ),
    Primitive(
        name="max",
        arity=2,
        define=lambda s, a, b: s.np.maximum(a, b),
        sympy=lambda m, a, b: m.Max(a, b),
        cost=0.8,
        lowering=lambda a, b: call("where", call("sub", a, b), a, b),
        smooth=False,
        total=True,
        commutative=True,
        bounds=intervals.maximum,
    ),
    Primitive(
        name="min",
        arity=2,
        define=lambda s, a, b: s.np.minimum(a, b),
        sympy=lambda m, a, b: m.Min(a, b),
        cost=0.8,
        lowering=lambda a, b: call("where", call("sub", b, a), a, b),
        smooth=False,
        total=True,
        commutative=True,
        bounds=intervals.minimum,
    ),
    Primitive(
        name="clip",
        arity=3,
        define=lambda s, a, b, c: s.np.clip(a, b, c),
        sympy=lambda m, a, b, c: m.Min(m.Max(a, b), c),
        cost=1.0,
        lowering=lambda a, b, c: call("min", call("max", a, b), c),
        smooth=False,
        total=True,
        slots=("any", "constant", "constant"),
        bounds=lambda a, b, c: intervals.minimum(intervals.maximum(a, b), c),
    ),
    Primitive(
        name="where",
        arity=3,
        define=lambda s, a, b, c: s.np.where(a >= 0, b, c),
        sympy=lambda m, a, b, c: m.Piecewise((b, a >= 0), (c, True)),
        cost=1.0,
        slope=_chosen_slope,
        smooth=False,
        total=True,
        slots=("input", "any", "any"),
        bounds=intervals.choose,
    ),
)
