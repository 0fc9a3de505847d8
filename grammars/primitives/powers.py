"""Primitives of one argument that are made of products: signs, sizes, squares and roots."""

from __future__ import annotations

import math
from typing import Final

from grammars.expressions.building import negate
from grammars.expressions.expression import ATOM, NEGATION, POWER, PRODUCT, Constant, call
from grammars.expressions.forms import INFIX_TARGETS, Form
from grammars.primitives.row import Primitive

ROWS: Final = (
    Primitive(
        name="neg",
        arity=1,
        define=lambda s, a: -a,
        sympy=lambda m, a: -a,
        cost=0.2,
        partials=lambda y, a: (Constant(-1.0),),
        total=True,
        parity="odd",
        monotone="falling",
        forms={
            **dict.fromkeys(INFIX_TARGETS, Form("-{0}", NEGATION, (POWER,))),
            "latex": Form("-{0}", NEGATION, (POWER,)),
            "onnx": "Neg",
        },
    ),
    Primitive(
        name="abs",
        arity=1,
        define=lambda s, a: s.np.abs(a),
        sympy=lambda m, a: m.Abs(a),
        cost=0.8,
        lowering=lambda a: call("where", a, a, negate(a)),
        smooth=False,
        total=True,
        parity="even",
        range=(0.0, math.inf),
        forms={
            "c": "fabsf({0})",
            "jax": "jnp.abs({0})",
            "keras": "ops.abs({0})",
            "latex": r"\left|{0}\right|",
            "numpy": "np.abs({0})",
            "onnx": "Abs",
            "pytorch": "torch.abs({0})",
            "sympy": "sympy.Abs({0})",
        },
    ),
    Primitive(
        name="square",
        arity=1,
        define=lambda s, a: a * a,
        sympy=lambda m, a: a**2,
        cost=0.4,
        partials=lambda y, a: (call("mul", 2.0, a),),
        lowering=lambda a: call("mul", a, a),
        total=True,
        grows=True,
        parity="even",
        range=(0.0, math.inf),
        forms={
            "c": Form("{0} * {0}", PRODUCT, (ATOM,)),
            "jax": "jnp.square({0})",
            "keras": "ops.square({0})",
            "latex": Form("{{{0}}}^{{2}}", POWER, (ATOM,)),
            "numpy": "np.square({0})",
            "pytorch": "torch.square({0})",
            "sympy": Form("{0} ** 2", POWER, (ATOM,)),
        },
    ),
    Primitive(
        name="cube",
        arity=1,
        define=lambda s, a: a * a * a,
        sympy=lambda m, a: a**3,
        cost=0.6,
        partials=lambda y, a: (call("mul", 3.0, call("square", a)),),
        lowering=lambda a: call("mul", call("mul", a, a), a),
        total=True,
        grows=True,
        parity="odd",
        monotone="rising",
        forms={
            "c": Form("{0} * {0} * {0}", PRODUCT, (ATOM,)),
            "jax": Form("{0} ** 3", POWER, (ATOM,)),
            "keras": Form("{0} ** 3", POWER, (ATOM,)),
            "latex": Form("{{{0}}}^{{3}}", POWER, (ATOM,)),
            "numpy": "np.power({0}, 3)",
            "pytorch": Form("{0} ** 3", POWER, (ATOM,)),
            "sympy": Form("{0} ** 3", POWER, (ATOM,)),
        },
    ),
    Primitive(
        name="sqrt",
        arity=1,
        define=lambda s, a: s.np.sqrt(a),
        sympy=lambda m, a: m.sqrt(a),
        cost=1.5,
        partials=lambda y, a: (call("div", 0.5, y),),
        monotone="rising",
        domain=(0.0, math.inf),
        range=(0.0, math.inf),
        forms={
            "c": "sqrtf({0})",
            "jax": "jnp.sqrt({0})",
            "keras": "ops.sqrt({0})",
            "latex": r"\sqrt{{{0}}}",
            "numpy": "np.sqrt({0})",
            "onnx": "Sqrt",
            "pytorch": "torch.sqrt({0})",
            "sympy": "sympy.sqrt({0})",
        },
    ),
)
