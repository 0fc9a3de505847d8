"""Functions that flatten on one side or both: sigmoids, their relatives, and the rectifier."""

from __future__ import annotations

import math
from typing import Any, Final

from grammars.building import negate
from grammars.expression import Expression, call
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
    ),
)
