"""Sums, products and choices without the zeros and ones that rules leave behind."""

from __future__ import annotations

from typing import Final

from grammars.expressions.expression import Call, Constant, Expression

ZERO: Final = Constant(0.0)
ONE: Final = Constant(1.0)


def add(left: Expression, right: Expression) -> Expression:
    """The sum of two expressions."""
    if left == ZERO:
        return right
    return left if right == ZERO else Call("add", (left, right))


def multiply(left: Expression, right: Expression) -> Expression:
    """The product of two expressions."""
    if ZERO in (left, right):
        return ZERO
    if left == ONE:
        return right
    if left == Constant(-1.0):
        return negate(right)
    return left if right == ONE else Call("mul", (left, right))


def negate(operand: Expression) -> Expression:
    """The negation; that of a number is a number."""
    if isinstance(operand, Constant):
        return Constant(-operand.value) if operand.value else ZERO
    return Call("neg", (operand,))


def select(condition: Expression, positive: Expression, negative: Expression) -> Expression:
    """`where(condition >= 0, positive, negative)`, or the branches' common form."""
    return positive if positive == negative else Call("where", (condition, positive, negative))
