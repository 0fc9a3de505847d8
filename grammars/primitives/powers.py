"""Primitives of one argument that are made of products: signs, sizes, squares and roots."""

from __future__ import annotations

import math
from typing import Final

from grammars.building import negate
from grammars.expression import Constant, call
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
    ),
)
