"""The derivative of an expression as another expression of the same language."""

from __future__ import annotations

from grammars.expressions.building import ONE, ZERO, add, multiply, negate, select
from grammars.expressions.expression import Call, Expression, Variable, expanded
from grammars.primitives import PRIMITIVES


def partials(node: Call) -> tuple[Expression, ...]:
    """The partial derivatives of a call by its operands; none for what merely selects one."""
    rule = PRIMITIVES[node.primitive].partials
    return () if rule is None else rule(node, *node.operands)


def derivative(expression: Expression, *, guarded: bool = True) -> Expression:
    """The derivative df/dx, by what the row of each primitive says of it.

    Where a function has a kink, the result is the derivative of one of its sides. Where a guard
    holds an argument back, it is that of the guarded function, 0.

    Args:
        expression: Any expression of the language; parameters count as constants.
        guarded: Whether the guards count, so that the result is that of what is computed; without
            them it is that of the mathematical function.

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
        if isinstance(node, Variable):
            return ONE
        return of_call(node) if isinstance(node, Call) else ZERO

    def of_call(node: Call) -> Expression:
        row, operands = PRIMITIVES[node.primitive], node.operands
        if row.partials is not None:
            total: Expression = ZERO
            slopes = [slope(operand) for operand in operands]
            for outer, inner in zip(row.partials(node, *operands), slopes, strict=True):
                total = add(total, multiply(outer, inner))
            if row.held is None or not guarded:
                return total
            return select(row.held(operands[0]), ZERO, total)
        if row.slope is not None:
            return _not_doubled(row.slope(operands, tuple(slope(operand) for operand in operands)))
        assert row.lowering is not None  # the row would not exist
        return slope(row.lowering(*operands))

    return slope(expanded(expression))


def _not_doubled(slope: Expression) -> Expression:
    """The slope of an `abs` around others, with a sign in place of two branches.

    Written as one branch and its negative, each would write all below it twice. A product with 1 or
    -1 is exact, also where the other factor is infinite or no number.
    """
    if not (isinstance(slope, Call) and _is_mirrored(slope)):
        return slope
    condition, branch, _ = slope.operands
    if not any(map(_is_mirrored, branch.walk())):
        return slope
    return multiply(select(condition, ONE, negate(ONE)), branch)


def _is_mirrored(node: Expression) -> bool:
    """Whether a node chooses between something and its negative."""
    match node:
        case Call("where", (_, positive, Call("neg", (negated,)))):
            return positive == negated
    return False
