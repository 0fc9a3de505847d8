"""The constants of a function, apart from its form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from grammars import Call, Constant, Expression, Variable, evaluate


def constants_of(expression: Expression) -> list[float]:
    """Values of all constants, in prefix order."""
    return [node.value for node in expression.walk() if isinstance(node, Constant)]


def with_constants(expression: Expression, values: Sequence[float]) -> Expression:
    """The same form with other constants.

    Args:
        expression: Of which the form is taken.
        values: As many as `constants_of` gives, in the same order.
    """
    return _rebuilt(expression, iter(values))


def folded(expression: Expression) -> Expression:
    """The same function, with each subtree that is a constant written as one number.

    `sigmoid(softplus(-1)) * x` is `0.5776812017484818 * x`. What has no value stays as it is.
    """
    if not isinstance(expression, Call):
        return expression
    if not expression.parameters and not any(
        isinstance(node, Variable) for node in expression.walk()
    ):
        value = float(evaluate(expression, np.zeros(1))[0])
        return Constant(value) if math.isfinite(value) else expression
    operands = tuple(folded(operand) for operand in expression.operands)
    return Call(expression.primitive, operands, expression.definition)


def rounded(value: float, digits: int) -> float:
    """A number to so many significant digits."""
    return float(f"{value:.{digits}g}")


def digits_of(value: float) -> int:
    """Significant digits with which a number is written."""
    return len(f"{value:.12e}".partition("e")[0].lstrip("-").replace(".", "").rstrip("0"))


def _rebuilt(expression: Expression, values: Iterator[float]) -> Expression:
    match expression:
        case Constant():
            return Constant(next(values) + 0.0)
        case Call(primitive, operands, definition):
            return Call(
                primitive, tuple(_rebuilt(operand, values) for operand in operands), definition
            )
    return expression
