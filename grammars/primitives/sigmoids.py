"""Functions that flatten on one side or both: sigmoids, their relatives, and the rectifier."""

from __future__ import annotations

import math
from typing import Any, Final

from grammars.expressions.building import negate
from grammars.expressions.expression import NEGATION, PRODUCT, Expression, call
from grammars.expressions.forms import Form
from grammars.primitives.row import Arrays, Primitive


def _relu(arrays: Arrays, a: Any) -> Any:
    # Not maximum(a, 0), whose derivative at 0 is 1/2 in JAX, while f'(0) = 0 is the convention;
    # and asked this way round, so that a NaN stays visible.
    return arrays.np.where(a <= 0, 0.0, a)


def _asinh_of_others(a: Expression) -> Expression:
    # log(s + sqrt(s^2 + 1)) for the size s of a, without the cancellation near 0.
    size = call("abs", a)
    square = call("mul", size, size)
    root = call("add", 1.0, call("sqrt", call("add", 1.0, square)))
    value = call("log1p", call("add", size, call("div", square, root)))
    return call("where", a, value, negate(value))


def _sigmoid_of_others(a: Expression) -> Expression:
    decay = call("exp", negate(call("abs", a)))
    return call("div", call("where", a, 1.0, decay), call("add", 1.0, decay))


def _softplus_of_others(a: Expression) -> Expression:
    decay = call("exp", negate(call("abs", a)))
    return call("add", call("max", a, 0.0), call("log1p", decay))


ROWS: Final = (
    Primitive(
        name="tanh",
        arity=1,
        define=lambda s, a: s.np.tanh(a),
        sympy=lambda m, a: m.tanh(a),
        cost=2.5,
        partials=lambda y, a: (call("sub", 1.0, call("square", y)),),
        total=True,
        parity="odd",
        monotone="rising",
        range=(-1.0, 1.0),
        forms={
            "c": "tanhf({0})",
            "jax": "jnp.tanh({0})",
            "keras": "ops.tanh({0})",
            "latex": r"\tanh\left({0}\right)",
            "numpy": "np.tanh({0})",
            "onnx": "Tanh",
            "pytorch": "torch.tanh({0})",
            "sympy": "sympy.tanh({0})",
        },
    ),
    Primitive(
        name="asinh",
        arity=1,
        define=lambda s, a: s.np.arcsinh(a),
        sympy=lambda m, a: m.asinh(a),
        cost=6.0,
        partials=lambda y, a: (
            call("div", 1.0, call("sqrt", call("add", 1.0, call("square", a)))),
        ),
        lowering=_asinh_of_others,
        total=True,
        parity="odd",
        monotone="rising",
        forms={
            "c": "asinhf({0})",
            "jax": "jnp.arcsinh({0})",
            "keras": "ops.arcsinh({0})",
            "latex": r"\mathrm{{arsinh}}\left({0}\right)",
            "numpy": "np.arcsinh({0})",
            "onnx": "Asinh",
            "pytorch": "torch.asinh({0})",
            "sympy": "sympy.asinh({0})",
        },
    ),
    Primitive(
        name="atan",
        arity=1,
        define=lambda s, a: s.elementary.arctan(a),
        sympy=lambda m, a: m.atan(a),
        cost=6.0,
        partials=lambda y, a: (call("div", 1.0, call("add", 1.0, call("square", a))),),
        total=True,
        parity="odd",
        monotone="rising",
        range=(-math.pi / 2, math.pi / 2),
        forms={
            "c": "atanf({0})",
            "jax": "jnp.arctan({0})",
            "keras": "ops.arctan({0})",
            "latex": r"\arctan\left({0}\right)",
            "numpy": "np.arctan({0})",
            "onnx": "Atan",
            "pytorch": "torch.atan({0})",
            "sympy": "sympy.atan({0})",
        },
    ),
    Primitive(
        name="sigmoid",
        arity=1,
        define=lambda s, a: s.special.expit(a),
        sympy=lambda m, a: 1 / (1 + m.exp(-a)),
        cost=3.0,
        # Not y * (1 - y), which loses its digits where y is near 1.
        partials=lambda y, a: (call("mul", y, call("sigmoid", negate(a))),),
        lowering=_sigmoid_of_others,
        total=True,
        monotone="rising",
        range=(0.0, 1.0),
        forms={
            "c": Form("@_sigmoid({0})", helper="sigmoid"),
            "jax": "jax.nn.sigmoid({0})",
            "keras": "ops.sigmoid({0})",
            "latex": r"\sigma\left({0}\right)",
            "numpy": Form("_sigmoid({0})", helper="_sigmoid"),
            "onnx": "Sigmoid",
            "pytorch": "torch.sigmoid({0})",
            "sympy": Form("1 / (1 + sympy.exp(-({0})))", PRODUCT),
        },
    ),
    Primitive(
        name="log_sigmoid",
        arity=1,
        define=lambda s, a: -s.elementary.softplus(-a),
        sympy=lambda m, a: -m.log(1 + m.exp(-a)),
        cost=6.0,
        partials=lambda y, a: (call("sigmoid", negate(a)),),
        lowering=lambda a: negate(call("softplus", negate(a))),
        total=True,
        monotone="rising",
        range=(-math.inf, 0.0),
        forms={
            "c": Form("(-@_softplus(-({0})))", helper="softplus"),
            "jax": "jax.nn.log_sigmoid({0})",
            "keras": "ops.log_sigmoid({0})",
            "latex": Form(r"\log \sigma\left({0}\right)", PRODUCT),
            "numpy": Form("-np.logaddexp(-({0}), 0.0)", NEGATION),
            "pytorch": "functional.logsigmoid({0})",
            "sympy": Form("-sympy.log(1 + sympy.exp(-({0})))", NEGATION),
        },
    ),
    Primitive(
        name="softplus",
        arity=1,
        define=lambda s, a: s.elementary.softplus(a),
        sympy=lambda m, a: m.log(1 + m.exp(a)),
        cost=6.0,
        partials=lambda y, a: (call("sigmoid", a),),
        lowering=_softplus_of_others,
        guard="logaddexp(a, 0): the same value with no overflow",
        source="Dugas, Bengio, Belisle, Nadeau, Garcia 2001",
        total=True,
        monotone="rising",
        range=(0.0, math.inf),
        forms={
            "c": Form("@_softplus({0})", helper="softplus"),
            "jax": "jax.nn.softplus({0})",
            "keras": "ops.softplus({0})",
            "latex": r"\log\left(1 + e^{{{0}}}\right)",
            "numpy": "np.logaddexp({0}, 0.0)",
            "onnx": "Softplus",
            "pytorch": "functional.softplus({0})",
            "sympy": "sympy.log(1 + sympy.exp({0}))",
        },
    ),
    Primitive(
        name="erf",
        arity=1,
        define=lambda s, a: s.elementary.erf(a),
        sympy=lambda m, a: m.erf(a),
        cost=4.0,
        partials=lambda y, a: (
            call("mul", 2 / math.sqrt(math.pi), call("exp", negate(call("square", a)))),
        ),
        total=True,
        parity="odd",
        monotone="rising",
        range=(-1.0, 1.0),
        forms={
            "c": "erff({0})",
            "jax": "jax.lax.erf({0})",
            "keras": "ops.erf({0})",
            "latex": r"\mathrm{{erf}}\left({0}\right)",
            "numpy": Form("_erf({0})", helper="_erf"),
            "onnx": "Erf",
            "pytorch": "torch.erf({0})",
            "sympy": "sympy.erf({0})",
        },
    ),
    Primitive(
        name="relu",
        arity=1,
        define=_relu,
        sympy=lambda m, a: m.Max(a, 0),
        cost=1.0,
        lowering=lambda a: call("where", negate(a), 0.0, a),
        source="Nair, Hinton 2010",
        smooth=False,
        total=True,
        monotone="rising",
        range=(0.0, math.inf),
        forms={
            # A comparison with NaN is false, so that the NaN is what is left.
            "c": "({0} <= 0.0f ? 0.0f : {0})",
            "jax": "jax.nn.relu({0})",
            "keras": "ops.relu({0})",
            "latex": r"\max\left(0, {0}\right)",
            "numpy": "np.maximum({0}, 0.0)",
            "onnx": "Relu",
            "pytorch": "functional.relu({0})",
            "sympy": "sympy.Max({0}, 0)",
        },
    ),
)
