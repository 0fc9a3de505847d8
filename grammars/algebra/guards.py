"""Where a guard, such as that of exp against overflow, makes a function another than it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from grammars.expressions.expression import Call, Expression
from grammars.numerics.compilation import interpret, start_values
from grammars.primitives import NUMPY, PRIMITIVES


def is_held(
    expression: Expression, x: numpy.ndarray, *, parameters: Mapping[str, Any] | None = None
) -> numpy.ndarray:
    """At which points a guard holds an argument back somewhere within, as the rows say.

    Args:
        expression: In primitives of the language alone.
        x: Points of any shape, float64.
        parameters: Values by name, broadcastable against `x`; the start values by default.

    Returns:
        In the shape of `x`. An argument that is NaN is not held.
    """
    values = start_values(expression) if parameters is None else parameters
    held = numpy.zeros(x.shape, bool)
    with numpy.errstate(all="ignore"):
        for node in expression.walk():
            rule = PRIMITIVES[node.primitive].held if isinstance(node, Call) else None
            if rule is not None:
                excess = rule(node.arguments[0])
                held |= interpret(excess, x, arrays=NUMPY, parameters=values) >= 0
    return held
