"""Primitives of several arguments: arithmetic, extrema and choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from grammars.expressions import intervals
from grammars.expressions.building import ONE, multiply, negate, select
from grammars.expressions.expression import (
    ATOM,
    NEGATION,
    POWER,
    PRODUCT,
    SUM,
    Constant,
    Expression,
    call,
)
from grammars.expressions.forms import INFIX_TARGETS, Form
from grammars.primitives.row import Arrays, Primitive


def _pow(arrays: Arrays, a: Any, b: Any) -> Any:
    # A whole exponent is exact for negative bases, and its derivative needs no logarithm.
    if isinstance(b, float) and b.is_integer() and abs(b) <= 64:
        return _whole_power(arrays, a, int(b))
    # NumPy's power of 0.5 is a root, other packages' is not, and they differ at negative infinity.
    if isinstance(b, float) and b == 0.5:
        return arrays.np.sqrt(a)
    return arrays.np.power(a, b)


def _whole_power(arrays: Arrays, a: Any, exponent: int) -> Any:
    if exponent < 0:
        return arrays.np.divide(1.0, _whole_power(arrays, a, -exponent))
    if exponent == 0:
        return a * 0.0 + 1.0
    half = _whole_power(arrays, a, exponent // 2) if exponent > 1 else 1.0
    return half * half * a if exponent % 2 else half * half


def _power_slopes(y: Expression, a: Expression, b: Expression) -> tuple[Expression, ...]:
    # Where the base is 0 the exponent changes nothing, and the logarithm is infinite.
    logarithm = call("log", select(negate(call("abs", a)), ONE, a))
    return _slope_by_base(y, a, b), call("mul", y, logarithm)


def _slope_by_base(y: Expression, a: Expression, b: Expression) -> Expression:
    if not isinstance(b, Constant):
        return multiply(b, call("pow", a, call("sub", b, 1.0)))
    match b.value:
        case 0.5:
            return call("div", 0.5, y)
        case 1.5:
            return multiply(b, call("sqrt", a))
        case 2.0:
            return multiply(b, a)
        case value:
            return multiply(b, call("pow", a, Constant(value - 1.0)))


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
        forms={
            **dict.fromkeys(INFIX_TARGETS, Form("{0} + {1}", SUM, (SUM, PRODUCT))),
            "latex": Form("{0} + {1}", SUM, (SUM, PRODUCT)),
            "onnx": "Add",
        },
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
        forms={
            **dict.fromkeys(INFIX_TARGETS, Form("{0} - {1}", SUM, (SUM, PRODUCT))),
            "latex": Form("{0} - {1}", SUM, (SUM, PRODUCT)),
            "onnx": "Sub",
        },
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
        forms={
            **dict.fromkeys(INFIX_TARGETS, Form("{0} * {1}", PRODUCT, (PRODUCT, NEGATION))),
            "latex": Form(r"{0} \cdot {1}", PRODUCT, (PRODUCT, POWER)),
            "onnx": "Mul",
        },
    ),
    Primitive(
        name="div",
        arity=2,
        define=lambda s, a, b: s.np.divide(a, b),
        sympy=lambda m, a, b: a / b,
        cost=1.5,
        partials=lambda y, a, b: (call("div", 1.0, b), negate(call("div", y, b))),
        bounds=intervals.divide,
        forms={
            **dict.fromkeys(INFIX_TARGETS, Form("{0} / {1}", PRODUCT, (PRODUCT, NEGATION))),
            "latex": Form(r"\frac{{{0}}}{{{1}}}", POWER),
            "onnx": "Div",
        },
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
        forms={
            "c": "powf({0}, {1})",
            "jax": "jnp.power({0}, {1})",
            "keras": "ops.power({0}, {1})",
            "latex": Form("{{{0}}}^{{{1}}}", POWER, (ATOM, 0)),
            "numpy": "np.power({0}, {1})",
            "onnx": "Pow",
            "pytorch": "torch.pow({0}, {1})",
            "sympy": Form("{0} ** {1}", POWER, (ATOM, POWER)),
        },
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
        forms={
            "c": Form("@_max({0}, {1})", helper="max"),
            "jax": "jnp.maximum({0}, {1})",
            "keras": "ops.maximum({0}, {1})",
            "latex": r"\max\left({0}, {1}\right)",
            "numpy": "np.maximum({0}, {1})",
            "onnx": "Max",
            "pytorch": "torch.maximum({0}, {1})",
            "sympy": "sympy.Max({0}, {1})",
        },
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
        forms={
            "c": Form("@_min({0}, {1})", helper="min"),
            "jax": "jnp.minimum({0}, {1})",
            "keras": "ops.minimum({0}, {1})",
            "latex": r"\min\left({0}, {1}\right)",
            "numpy": "np.minimum({0}, {1})",
            "onnx": "Min",
            "pytorch": "torch.minimum({0}, {1})",
            "sympy": "sympy.Min({0}, {1})",
        },
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
        forms={
            "c": Form("@_clip({0}, {1}, {2})", helper="clip"),
            "jax": "jnp.clip({0}, {1}, {2})",
            "keras": "ops.minimum(ops.maximum({0}, {1}), {2})",
            "latex": r"\min\left(\max\left({0}, {1}\right), {2}\right)",
            "numpy": "np.clip({0}, {1}, {2})",
            "pytorch": "torch.clamp({0}, {1}, {2})",
            "sympy": "sympy.Min(sympy.Max({0}, {1}), {2})",
        },
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
        forms={
            "c": "({0} >= 0.0f ? {1} : {2})",
            "jax": "jnp.where({0} >= 0, {1}, {2})",
            "keras": "ops.where({0} >= 0, {1}, {2})",
            "latex": r"\begin{{cases}} {1} & \text{{if }} {0} \geq 0 \\ "
            r"{2} & \text{{otherwise}} \end{{cases}}",
            "numpy": "np.where({0} >= 0, {1}, {2})",
            "pytorch": "torch.where({0} >= 0, {1}, {2})",
            "sympy": "sympy.Piecewise(({1}, {0} >= 0), ({2}, True))",
        },
    ),
)
