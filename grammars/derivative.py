"""The derivative of an expression as another expression of the same language."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from grammars.expression import Call, Constant, Expression, Variable, call
from grammars.primitives import EXP_ARGUMENT_MAX, SINC_SERIES_BELOW

ZERO: Final = Constant(0.0)
ONE: Final = Constant(1.0)


def add(left: Expression, right: Expression) -> Expression:
    """The sum, without the zeros that differentiation leaves behind."""
    if left == ZERO:
        return right
    return left if right == ZERO else Call("add", (left, right))


def multiply(left: Expression, right: Expression) -> Expression:
    """The product, without the zeros and ones that differentiation leaves behind."""
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


def _sinc_slope(y: Expression, a: Expression) -> Expression:
    outside = call("sub", call("abs", a), SINC_SERIES_BELOW)
    away = call("where", outside, a, 1.0)
    near = call("where", outside, 0.0, a)
    square = call("square", near)
    series: Expression = ONE
    for factor in (130, 88, 54, 28, 10):
        series = call("sub", 1.0, call("mul", call("div", square, factor), series))
    quotient = call(
        "div", call("sub", call("cos", away), call("div", call("sin", away), away)), away
    )
    return call("where", outside, quotient, call("mul", call("div", near, -3.0), series))


def _power_slopes(y: Expression, a: Expression, b: Expression) -> tuple[Expression, ...]:
    lower = Constant(b.value - 1.0) if isinstance(b, Constant) else call("sub", b, 1.0)
    by_base = multiply(b, a if lower == ONE else call("pow", a, lower))
    return by_base, call("mul", y, call("log", a))


# The partial derivatives of y = f(a, b), one for each argument. What selects between its arguments
# is not here: a masked slope times an infinite one would be NaN, so it is rewritten with `where`.
_SMOOTH: Final[dict[str, Callable[..., tuple[Expression, ...]]]] = {
    "neg": lambda y, a: (Constant(-1.0),),
    "square": lambda y, a: (call("mul", 2.0, a),),
    "cube": lambda y, a: (call("mul", 3.0, call("square", a)),),
    "sqrt": lambda y, a: (call("div", 0.5, y),),
    "exp": lambda y, a: (y,),
    "expm1": lambda y, a: (call("exp", a),),
    "log": lambda y, a: (call("div", 1.0, a),),
    "log1p": lambda y, a: (call("div", 1.0, call("add", 1.0, a)),),
    "sin": lambda y, a: (call("cos", a),),
    "cos": lambda y, a: (negate(call("sin", a)),),
    "sinc": lambda y, a: (_sinc_slope(y, a),),
    "sinh": lambda y, a: (call("cosh", a),),
    "cosh": lambda y, a: (call("sinh", a),),
    "tanh": lambda y, a: (call("sub", 1.0, call("square", y)),),
    "asinh": lambda y, a: (call("div", 1.0, call("sqrt", call("add", 1.0, call("square", a)))),),
    "atan": lambda y, a: (call("div", 1.0, call("add", 1.0, call("square", a))),),
    # Not y * (1 - y), which loses its digits where y is near 1.
    "sigmoid": lambda y, a: (call("mul", y, call("sigmoid", negate(a))),),
    "log_sigmoid": lambda y, a: (call("sigmoid", negate(a)),),
    "softplus": lambda y, a: (call("sigmoid", a),),
    "erf": lambda y, a: (
        call("mul", 2 / math.sqrt(math.pi), call("exp", negate(call("square", a)))),
    ),
    "add": lambda y, a, b: (ONE, ONE),
    "sub": lambda y, a, b: (ONE, Constant(-1.0)),
    "mul": lambda y, a, b: (b, a),
    "div": lambda y, a, b: (call("div", 1.0, b), negate(call("div", y, b))),
    "pow": _power_slopes,
}

_SELECTING: Final[dict[str, Callable[..., Expression]]] = {
    "abs": lambda a: call("where", a, a, negate(a)),
    "relu": lambda a: call("where", negate(a), 0.0, a),
    "max": lambda a, b: call("where", call("sub", a, b), a, b),
    "min": lambda a, b: call("where", call("sub", b, a), a, b),
    "clip": lambda a, b, c: call("min", call("max", a, b), c),
}

# Whether the guard leaves the argument as it is, as an expression that is then at least 0.
_GUARDED: Final[dict[str, Callable[[Expression], Expression]]] = {
    "exp": lambda a: call("sub", EXP_ARGUMENT_MAX, a),
    "expm1": lambda a: call("sub", EXP_ARGUMENT_MAX, a),
    "sinh": lambda a: call("sub", EXP_ARGUMENT_MAX, call("abs", a)),
    "cosh": lambda a: call("sub", EXP_ARGUMENT_MAX, call("abs", a)),
}


def partials(node: Call) -> tuple[Expression, ...]:
    """The partial derivatives of a call by its operands; none for what merely selects one."""
    rule = _SMOOTH.get(node.primitive)
    return () if rule is None else rule(node, *node.operands)


def derivative(expression: Expression) -> Expression:
    """The slope df/dx.

    Where a function has a kink, the result is the slope of one of its sides. Where a guard holds an
    argument back, the slope is that of the guarded function, 0.

    Args:
        expression: Any expression of the language; parameters count as constants.

    Returns:
        An expression of the same language; equal subtrees are equal values, which a printer that
        names common subexpressions writes once.
    """
    known: dict[Expression, Expression] = {}

    def slope(node: Expression) -> Expression:
        if node not in known:
            known[node] = compute(node)
        return known[node]

    def compute(node: Expression) -> Expression:
        match node:
            case Variable():
                return ONE
            case Call("where", (condition, positive, negative)):
                return select(condition, slope(positive), slope(negative))
            case Call(primitive, operands) if primitive in _SELECTING:
                return slope(_SELECTING[primitive](*operands))
            case Call(primitive, operands):
                total: Expression = ZERO
                slopes = [slope(operand) for operand in operands]
                for outer, inner in zip(partials(node), slopes, strict=True):
                    total = add(total, multiply(outer, inner))
                guard = _GUARDED.get(primitive)
                return total if guard is None else select(guard(operands[0]), total, ZERO)
            case _:
                return ZERO

    return slope(expression)
