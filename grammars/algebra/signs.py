"""What can be said of an expression's values without computing any."""

from __future__ import annotations

from grammars.expressions.expression import Call, Constant, Expression
from grammars.primitives import PRIMITIVES


def is_total(expression: Expression) -> bool:
    """Whether the value is a finite number for every `x` that training can meet.

    A conservative answer: True is certain, False means "perhaps not". A rewriting that drops a
    subtree, such as `f - f = 0`, is sound only for these; elsewhere it would hide a NaN.
    """
    growing = 0
    for node in expression.walk():
        if isinstance(node, Call):
            row = PRIMITIVES.get(node.primitive)
            if row is None or not row.total:
                return False
            growing += row.grows
    # Two in one tree may stand in each other and overflow.
    return growing <= 1


def never_negative(expression: Expression) -> bool:
    """Whether every value is at least 0, or NaN; conservative like `is_total`."""
    match expression:
        case Constant(value):
            return value >= 0
        case Call("add" | "mul" | "div" | "min", (left, right)):
            squared = expression.primitive == "mul" and left == right
            return squared or (never_negative(left) and never_negative(right))
        case Call("max", (left, right)):
            # NaN wins in a maximum, so either operand settles it.
            return never_negative(left) or never_negative(right)
        case Call("clip", (_, low, high)):
            return never_negative(low) and never_negative(high)
        case Call("where", (_, positive, negative)):
            return never_negative(positive) and never_negative(negative)
        case Call("pow", (base, exponent)):
            even = isinstance(exponent, Constant) and exponent.value % 2 == 0
            return even or never_negative(base)
        case Call("cube", (operand,)):
            return never_negative(operand)
        case Call(primitive):
            return PRIMITIVES[primitive].range[0] >= 0
        case _:
            return False


def never_positive(expression: Expression) -> bool:
    """Whether every value is at most 0, or NaN; conservative like `is_total`."""
    match expression:
        case Constant(value):
            return value <= 0
        case Call("neg", (operand,)):
            return never_negative(operand)
        case Call("mul" | "div", (left, right)):
            return (never_positive(left) and never_negative(right)) or (
                never_negative(left) and never_positive(right)
            )
        case Call(primitive):
            return PRIMITIVES[primitive].range[1] <= 0
        case _:
            return False
