"""Sine, cosine and sin(a) / a."""

from __future__ import annotations

from typing import Any, Final

from grammars.expressions.building import ONE, negate
from grammars.expressions.expression import ATOM, Expression, call
from grammars.expressions.forms import Form
from grammars.primitives.row import Arrays, Primitive

# Below this the quotient sin(a) / a loses digits, above all in its derivative; its Taylor
# polynomial up to a^12 is exact to the last bit of a float64 there.
SINC_SERIES_BELOW: Final = 0.5
SINC_FACTORS: Final = (156, 110, 72, 42, 20, 6)
# At 4.4934, the first positive root of tan(a) = a.
_LEAST_SINC: Final = -0.21723362821122166


def _sinc(arrays: Arrays, a: Any) -> Any:
    np = arrays.np
    near_zero = np.abs(a) < SINC_SERIES_BELOW
    # The argument is replaced, not the result: a masked result would still have a NaN gradient.
    away = np.where(near_zero, 1.0, a)
    square = np.where(near_zero, a, 0.0) ** 2
    series = 1.0
    for factor in SINC_FACTORS:
        series = 1.0 - square / factor * series
    return np.where(near_zero, series, arrays.elementary.sin(away) / away)


def _sinc_of_others(a: Expression) -> Expression:
    is_far = call("sub", call("abs", a), SINC_SERIES_BELOW)
    far = call("where", is_far, a, 1.0)
    near = call("where", is_far, 0.0, a)
    square = call("mul", near, near)
    series: Expression = ONE
    for factor in SINC_FACTORS:
        series = call("sub", 1.0, call("mul", call("mul", square, 1 / factor), series))
    return call("where", is_far, call("div", call("sin", far), far), series)


def _sinc_slope(a: Expression) -> Expression:
    outside = call("sub", call("abs", a), SINC_SERIES_BELOW)
    away = call("where", outside, a, 1.0)
    near = call("where", outside, 0.0, a)
    square = call("square", near)
    series: Expression = ONE
    for factor in (130, 88, 54, 28, 10):
        series = call("sub", 1.0, call("mul", call("div", square, factor), series))
    quotient = call(
        "div", call("sub", call("cos", away), call("div", call("sin", away), away)), away
    )
    return call("where", outside, quotient, call("mul", call("div", near, -3.0), series))


ROWS: Final = (
    Primitive(
        name="sin",
        arity=1,
        define=lambda s, a: s.elementary.sin(a),
        sympy=lambda m, a: m.sin(a),
        cost=7.0,
        partials=lambda y, a: (call("cos", a),),
        total=True,
        parity="odd",
        range=(-1.0, 1.0),
        forms={
            "c": "sinf({0})",
            "jax": "jnp.sin({0})",
            "keras": "ops.sin({0})",
            "latex": r"\sin\left({0}\right)",
            "numpy": "np.sin({0})",
            "onnx": "Sin",
            "pytorch": "torch.sin({0})",
            "sympy": "sympy.sin({0})",
        },
    ),
    Primitive(
        name="cos",
        arity=1,
        define=lambda s, a: s.elementary.cos(a),
        sympy=lambda m, a: m.cos(a),
        cost=7.0,
        partials=lambda y, a: (negate(call("sin", a)),),
        total=True,
        parity="even",
        range=(-1.0, 1.0),
        forms={
            "c": "cosf({0})",
            "jax": "jnp.cos({0})",
            "keras": "ops.cos({0})",
            "latex": r"\cos\left({0}\right)",
            "numpy": "np.cos({0})",
            "onnx": "Cos",
            "pytorch": "torch.cos({0})",
            "sympy": "sympy.cos({0})",
        },
    ),
    Primitive(
        name="sinc",
        arity=1,
        define=_sinc,
        sympy=lambda m, a: m.sinc(a),
        cost=9.0,
        partials=lambda y, a: (_sinc_slope(a),),
        lowering=_sinc_of_others,
        guard=f"a series where |a| < {SINC_SERIES_BELOW}: the quotient sin(a) / a is 0 / 0 at 0",
        source="unnormalised, sin(a) / a, as in Ramachandran, Zoph, Le 2017",
        total=True,
        parity="even",
        range=(_LEAST_SINC, 1.0),
        forms={
            "c": Form("@_sinc({0})", helper="sinc"),
            "jax": Form("_sinc({0})", helper="_sinc"),
            "keras": Form("_sinc({0})", helper="_sinc"),
            "latex": r"\mathrm{{sinc}}\left({0}\right)",
            "numpy": Form("_sinc({0})", helper="_sinc"),
            "pytorch": Form("_sinc({0})", helper="_sinc"),
            # The derivative of sympy.sinc has no value at 0.
            "sympy": Form(
                "sympy.Piecewise((sympy.sin({0}) / {0}, sympy.Ne({0}, 0)), (1, True))",
                ATOM,
                (ATOM,),
            ),
        },
    ),
)
