"""An equal form of an expression that a grammar can write, for functions from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

import numpy

from grammars.algebra.canonical import canonical
from grammars.expressions.building import negate
from grammars.expressions.expression import Call, Constant, Expression, X, call, expanded
from grammars.numerics.compilation import evaluate
from grammars.numerics.fingerprint import same_function
from grammars.primitives import PRIMITIVES
from grammars.space.grammar import Grammar

_LARGEST_POWER: Final = 16
_MOST_ROUNDS: Final = 12
# How much larger than a grammar allows a form may be while it is spelled: double negations and
# whole powers become shorter again, a lowering of a lowering does not.
_ROOM: Final = 4
_ONE: Final = Constant(1.0)

Spelling = Callable[..., Expression | None]


def fitted(expression: Expression, grammar: Grammar) -> Expression | None:
    """Writes a function with what a grammar has, if that can be done.

    What the reports print is in canonical form, whose primitives and constants need not be those of
    the grammar that found it: `clip(x, 0, 6)` for `min(max(x, 0), 6)`.

    Args:
        expression: The function.
        grammar: Whose rules the result keeps.

    Returns:
        The expression itself if the grammar can write it, else an equal one; None if none is found.
    """
    for form in _forms(expression, grammar):
        if grammar.violation(form) is None and same_function(form, expression):
            return form
    return None


def _forms(expression: Expression, grammar: Grammar) -> Iterator[Expression]:
    yield expression
    for form in (expanded(expression), canonical(expression)):
        for start in (_folded(form), form):
            spelled = _spelled(start, grammar)
            # Own constants make no form shorter.
            if spelled is None or not _is_within(spelled, grammar.max_size):
                continue
            for made in (spelled, _with_own_constants(spelled, grammar)):
                if not _is_within(made, grammar.max_size):
                    continue
                yield made
                if grammar.root == "where":
                    yield call("where", X, made, made)


def _folded(expression: Expression) -> Expression:
    """The expression with numbers in place of calls without `x` and parameters."""
    if not isinstance(expression, Call):
        return expression
    if not (expression.uses_input or expression.parameters):
        value = float(evaluate(expression, numpy.zeros(())))
        return Constant(value) if numpy.isfinite(value) else expression
    return replace(expression, operands=tuple(map(_folded, expression.operands)))


def _spelled(expression: Expression, grammar: Grammar) -> Expression | None:
    """The expression with other primitives in place of those that the grammar lacks.

    Returns:
        None once it has grown so much that it cannot become short enough again.
    """
    most = max(_ROOM * grammar.max_size, expression.size)
    for _ in range(_MOST_ROUNDS):
        again = _respelled(expression, grammar)
        # First, since what grows by powers of a power takes too long to be compared.
        if not _is_within(again, most):
            return None
        if again == expression:
            break
        expression = again
    return expression


def _is_within(expression: Expression, most: int) -> bool:
    """Whether an expression has at most so many nodes; no more of them are counted."""
    return sum(1 for _ in islice(expression.walk(), most + 1)) <= most


def _respelled(node: Expression, grammar: Grammar) -> Expression:
    if not isinstance(node, Call):
        return node
    operands = tuple(_respelled(operand, grammar) for operand in node.operands)
    match node.primitive, operands:
        case "neg", (Call("neg", (inner,)),):
            return inner
    if _is_allowed(node.primitive, operands, grammar):
        return replace(node, operands=operands)
    spellings = [*_SPELLINGS.get(node.primitive, ())]
    if (lowering := PRIMITIVES[node.primitive].lowering) is not None:
        spellings.append(lowering)
    forms = [form for spelling in spellings if (form := spelling(*operands)) is not None]
    # The first that the grammar has at once, or else one that may be spelled further.
    at_once = [f for f in forms if isinstance(f, Call) and f.primitive in grammar.primitives]
    return next(iter([*at_once, *forms]), replace(node, operands=operands))


def _is_allowed(primitive: str, operands: tuple[Expression, ...], grammar: Grammar) -> bool:
    if primitive not in grammar.primitives:
        return False
    only = grammar.nesting.only_of.get(primitive)
    return only is None or (isinstance(operands[0], Call) and operands[0].primitive in only)


def _with_own_constants(node: Expression, grammar: Grammar) -> Expression:
    """The expression with numbers beyond the grammar's range as products of those within."""
    match node:
        case Call("mul", (Constant(2.0), operand)) if not _allows(grammar, 2.0):
            twice = _with_own_constants(operand, grammar)
            return call("add", twice, twice)
    if isinstance(node, Call):
        operands = tuple(_with_own_constants(operand, grammar) for operand in node.operands)
        return replace(node, operands=operands)
    rule = grammar.constants
    if not isinstance(node, Constant) or rule is None or rule.allows(node.value):
        return node
    if rule.choices:
        return _sum_of_choices(node, rule.choices)
    bound = rule.high if node.value > 0 else -rule.low
    size, factors = abs(node.value), 0
    while bound > 1 and size > bound and factors < _MOST_ROUNDS:
        size, factors = size / rule.high, factors + 1
    product: Expression = Constant(size if node.value > 0 else -size)
    for _ in range(factors):
        product = call("mul", rule.high, product)
    return product


def _allows(grammar: Grammar, value: float) -> bool:
    return grammar.constants is not None and grammar.constants.allows(value)


def _sum_of_choices(node: Constant, choices: tuple[float, ...]) -> Expression:
    size = abs(node.value)
    if 1.0 not in choices or not size.is_integer() or not 0 < size <= _MOST_ROUNDS:
        return node
    total: Expression = Constant(1.0)
    for _ in range(int(size) - 1):
        total = call("add", total, 1.0)
    return total if node.value > 0 else Call("neg", (total,))


def _product_of(base: Expression, exponent: Expression) -> Expression | None:
    if not isinstance(exponent, Constant) or not exponent.value.is_integer():
        return call("sqrt", base) if exponent == Constant(0.5) else None
    if not 1 <= exponent.value <= _LARGEST_POWER:
        return None
    count = int(exponent.value)
    if count == 1:
        return base
    if count % 2 and count % 3:
        return call("mul", base, call("pow", base, count - 1))
    outer, inner = ("cube", count // 3) if count % 3 == 0 else ("square", count // 2)
    return call(outer, base if inner == 1 else call("pow", base, inner))


def _scaled(dividend: Expression, divisor: Expression) -> Expression | None:
    if isinstance(divisor, Constant) and divisor.value:
        return call("mul", 1.0 / divisor.value, dividend)
    return None


def _rectified(a: Expression, b: Expression) -> Expression | None:
    if b == Constant(0.0):
        return call("relu", a)
    return call("relu", b) if a == Constant(0.0) else None


# Beside the lowering of a row, which serves every target, how else people write it.
_SPELLINGS: Final[dict[str, tuple[Spelling, ...]]] = {
    "neg": (lambda a: call("mul", -1.0, a), lambda a: call("sub", 0.0, a)),
    "abs": (lambda a: call("max", a, negate(a)),),
    "sub": (lambda a, b: call("add", a, negate(b)),),
    "add": (lambda a, b: call("sub", a, negate(b)),),
    "div": (_scaled, lambda a, b: call("mul", a, call("div", 1.0, b)) if a != _ONE else None),
    "pow": (_product_of,),
    "sqrt": (lambda a: call("sqrt", call("abs", a)),),
    "relu": (lambda a: call("max", a, 0.0),),
    "max": (_rectified,),
    "expm1": (lambda a: call("sub", call("exp", a), 1.0),),
    "log_sigmoid": (lambda a: negate(call("softplus", negate(a))),),
    "softplus": (lambda a: negate(call("log_sigmoid", negate(a))),),
    "sigmoid": (lambda a: call("mul", 0.5, call("add", call("tanh", call("mul", 0.5, a)), 1.0)),),
}
