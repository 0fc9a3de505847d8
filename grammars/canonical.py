"""One form for equal expressions, the expression id, and the numeric fingerprint."""

from __future__ import annotations

import hashlib

from grammars.expression import Call, Constant, Expression

_COMMUTATIVE = frozenset({"add", "mul", "max", "min"})


def canonical(expression: Expression) -> Expression:
    """Rewrites an expression to the form that its equals share."""
    if not isinstance(expression, Call):
        return expression
    operands = tuple(canonical(operand) for operand in expression.operands)
    if expression.primitive in _COMMUTATIVE:
        operands = tuple(sorted(operands, key=str))
    if expression.primitive == "neg" and isinstance(operands[0], Constant):
        return Constant(-operands[0].value)
    return Call(expression.primitive, operands)


def expression_id(expression: Expression) -> str:
    """The first twelve hexadecimal digits of the SHA-256 of the canonical form's text."""
    return hashlib.sha256(str(canonical(expression)).encode()).hexdigest()[:12]
