"""Exponentials and logarithms, with the guard that keeps exponentials finite."""

from __future__ import annotations

import math
from typing import Any, Final

from grammars.expressions.building import negate
from grammars.expressions.expression import ATOM, POWER, PRODUCT, SUM, Expression, call
from grammars.expressions.forms import Form
from grammars.primitives.row import Arrays, Primitive

# The largest argument whose exponential is finite in float32 and bfloat16 is 88.72; a rounder,
# smaller number is representable in both, so that the guard is the same number everywhere.
EXP_ARGUMENT_MAX: Final = 88.5
EXP_GUARD: Final = (
    f"argument at most {EXP_ARGUMENT_MAX}: beyond it the value overflows in float32 and bfloat16"
)

# The guard in PyTorch, which leaves a NaN as it is: it is on neither side of a comparison.
_TORCH_AT_MOST: Final = f"torch.where({{0}} > {EXP_ARGUMENT_MAX}, {EXP_ARGUMENT_MAX}, {{0}})"

# With PyTorch as the backend, ops.clip would have a slope of 0 at NaN.
_KERAS_WITHIN: Final = f"ops.minimum(ops.maximum({{0}}, -{EXP_ARGUMENT_MAX}), {EXP_ARGUMENT_MAX})"


def _exp(arrays: Arrays, a: Any) -> Any:
    return arrays.np.exp(arrays.np.minimum(a, EXP_ARGUMENT_MAX))


def _expm1(arrays: Arrays, a: Any) -> Any:
    return arrays.np.expm1(arrays.np.minimum(a, EXP_ARGUMENT_MAX))


def _sinh(arrays: Arrays, a: Any) -> Any:
    return arrays.np.sinh(arrays.np.clip(a, -EXP_ARGUMENT_MAX, EXP_ARGUMENT_MAX))


def _cosh(arrays: Arrays, a: Any) -> Any:
    return arrays.np.cosh(arrays.np.clip(a, -EXP_ARGUMENT_MAX, EXP_ARGUMENT_MAX))


def _above(a: Expression) -> Expression:
    return call("sub", a, EXP_ARGUMENT_MAX)


def _beyond(a: Expression) -> Expression:
    return call("sub", call("abs", a), EXP_ARGUMENT_MAX)


def _expm1_of_others(a: Expression) -> Expression:
    # exp(a) - 1 = tanh(a / 2) (exp(a) + 1), without the cancellation near 0.
    return call("mul", call("tanh", call("mul", 0.5, a)), call("add", call("exp", a), 1.0))


def _log1p_of_others(a: Expression) -> Expression:
    # W. Kahan: the rounding error of 1 + a cancels in the quotient.
    total = call("add", 1.0, a)
    rounded = call("sub", total, 1.0)
    is_tiny = negate(call("abs", rounded))
    divisor = call("where", is_tiny, 1.0, rounded)
    near = call("where", is_tiny, a, call("mul", call("log", total), call("div", a, divisor)))
    # Where 1 no longer counts, infinity among it, there is no error to cancel.
    return call("where", call("sub", a, 2.0**25), call("log", total), near)


def _sinh_of_others(a: Expression) -> Expression:
    # With e = exp(|a|) - 1, sinh(|a|) = (e + e / (e + 1)) / 2, without the cancellation near 0.
    e = call("expm1", call("abs", a))
    size = call("mul", 0.5, call("add", e, call("div", e, call("add", e, 1.0))))
    return call("where", a, size, negate(size))


def _cosh_of_others(a: Expression) -> Expression:
    half = call("mul", 0.5, call("exp", call("abs", a)))
    return call("add", half, call("div", 0.25, half))


ROWS: Final = (
    Primitive(
        name="exp",
        arity=1,
        define=_exp,
        sympy=lambda m, a: m.exp(a),
        cost=2.5,
        partials=lambda y, a: (y,),
        held=_above,
        guard=EXP_GUARD,
        total=True,
        grows=True,
        monotone="rising",
        range=(0.0, math.inf),
        forms={
            "c": f"expf({{0}} > {EXP_ARGUMENT_MAX}f ? {EXP_ARGUMENT_MAX}f : {{0}})",
            "jax": f"jnp.exp(jnp.minimum({{0}}, {EXP_ARGUMENT_MAX}))",
            "keras": f"ops.exp(ops.minimum({{0}}, {EXP_ARGUMENT_MAX}))",
            "latex": Form("e^{{{0}}}", POWER),
            "numpy": f"np.exp(np.minimum({{0}}, {EXP_ARGUMENT_MAX}))",
            "onnx": "Exp",
            "pytorch": f"torch.exp({_TORCH_AT_MOST})",
            "sympy": "sympy.exp({0})",
        },
    ),
    Primitive(
        name="expm1",
        arity=1,
        define=_expm1,
        sympy=lambda m, a: m.exp(a) - 1,
        cost=5.0,
        partials=lambda y, a: (call("exp", a),),
        lowering=_expm1_of_others,
        held=_above,
        guard=EXP_GUARD,
        total=True,
        grows=True,
        monotone="rising",
        range=(-1.0, math.inf),
        forms={
            "c": f"expm1f({{0}} > {EXP_ARGUMENT_MAX}f ? {EXP_ARGUMENT_MAX}f : {{0}})",
            "jax": f"jnp.expm1(jnp.minimum({{0}}, {EXP_ARGUMENT_MAX}))",
            "keras": f"ops.expm1(ops.minimum({{0}}, {EXP_ARGUMENT_MAX}))",
            "latex": Form("e^{{{0}}} - 1", SUM),
            "numpy": f"np.expm1(np.minimum({{0}}, {EXP_ARGUMENT_MAX}))",
            "pytorch": f"torch.expm1({_TORCH_AT_MOST})",
            "sympy": Form("sympy.exp({0}) - 1", SUM),
        },
    ),
    Primitive(
        name="log",
        arity=1,
        define=lambda s, a: s.np.log(a),
        sympy=lambda m, a: m.log(a),
        cost=3.0,
        partials=lambda y, a: (call("div", 1.0, a),),
        monotone="rising",
        domain=(0.0, math.inf),
        forms={
            "c": "logf({0})",
            "jax": "jnp.log({0})",
            "keras": "ops.log({0})",
            "latex": r"\log\left({0}\right)",
            "numpy": "np.log({0})",
            "onnx": "Log",
            "pytorch": "torch.log({0})",
            "sympy": "sympy.log({0})",
        },
    ),
    Primitive(
        name="log1p",
        arity=1,
        define=lambda s, a: s.np.log1p(a),
        sympy=lambda m, a: m.log(1 + a),
        cost=4.0,
        partials=lambda y, a: (call("div", 1.0, call("add", 1.0, a)),),
        lowering=_log1p_of_others,
        monotone="rising",
        domain=(-1.0, math.inf),
        forms={
            "c": "log1pf({0})",
            "jax": "jnp.log1p({0})",
            "keras": "ops.log1p({0})",
            "latex": Form(r"\log\left(1 + {0}\right)", ATOM, (PRODUCT,)),
            "numpy": "np.log1p({0})",
            "pytorch": "torch.log1p({0})",
            "sympy": Form("sympy.log(1 + {0})", ATOM, (PRODUCT,)),
        },
    ),
)

HYPERBOLIC_ROWS: Final = (
    Primitive(
        name="sinh",
        arity=1,
        define=_sinh,
        sympy=lambda m, a: m.sinh(a),
        cost=6.0,
        partials=lambda y, a: (call("cosh", a),),
        lowering=_sinh_of_others,
        held=_beyond,
        guard=EXP_GUARD,
        total=True,
        grows=True,
        parity="odd",
        monotone="rising",
        forms={
            "c": Form(
                f"sinhf(@_clip({{0}}, -{EXP_ARGUMENT_MAX}f, {EXP_ARGUMENT_MAX}f))", helper="clip"
            ),
            "jax": f"jnp.sinh(jnp.clip({{0}}, -{EXP_ARGUMENT_MAX}, {EXP_ARGUMENT_MAX}))",
            "keras": f"ops.sinh({_KERAS_WITHIN})",
            "latex": r"\sinh\left({0}\right)",
            "numpy": f"np.sinh(np.clip({{0}}, -{EXP_ARGUMENT_MAX}, {EXP_ARGUMENT_MAX}))",
            "onnx": "Sinh",
            "pytorch": Form("torch.sinh(_within({0}))", helper="_within"),
            "sympy": "sympy.sinh({0})",
        },
    ),
    Primitive(
        name="cosh",
        arity=1,
        define=_cosh,
        sympy=lambda m, a: m.cosh(a),
        cost=6.0,
        partials=lambda y, a: (call("sinh", a),),
        lowering=_cosh_of_others,
        held=_beyond,
        guard=EXP_GUARD,
        total=True,
        grows=True,
        parity="even",
        range=(1.0, math.inf),
        forms={
            "c": Form(
                f"coshf(@_clip({{0}}, -{EXP_ARGUMENT_MAX}f, {EXP_ARGUMENT_MAX}f))", helper="clip"
            ),
            "jax": f"jnp.cosh(jnp.clip({{0}}, -{EXP_ARGUMENT_MAX}, {EXP_ARGUMENT_MAX}))",
            "keras": f"ops.cosh({_KERAS_WITHIN})",
            "latex": r"\cosh\left({0}\right)",
            "numpy": f"np.cosh(np.clip({{0}}, -{EXP_ARGUMENT_MAX}, {EXP_ARGUMENT_MAX}))",
            "onnx": "Cosh",
            "pytorch": Form("torch.cosh(_within({0}))", helper="_within"),
            "sympy": "sympy.cosh({0})",
        },
    ),
)
