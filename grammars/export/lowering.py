"""What every target does to an expression before it prints it: folding and guarding."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import Final

import numpy

from grammars.export.rewriting import once_each, rebuild, rebuilding
from grammars.expressions.building import negate
from grammars.expressions.expression import Call, Constant, Expression, Variable, substitute
from grammars.numerics.compilation import evaluate
from grammars.numerics.derivative import partials
from grammars.primitives import NUMPY, PRIMITIVES

# A formula that people could use has tens of nodes. The bound keeps what a hostile file can ask for
# within seconds.
MAX_EXPORT_SIZE: Final = 1_000

# Each piece within another doubles what is around it.
_MOST_GUARDED: Final = 10_000

# Numbers that the language cannot write, since no constant of it may be infinite; a folded
# expression can still become one of them.
INFINITY: Final = Call("inf", ())
NOT_A_NUMBER: Final = Call("nan", ())

_FLOAT32_MAX: Final = float(numpy.finfo(numpy.float32).max)
_SAFE_INPUTS: Final = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 10.0, -10.0)
_GUARD_POINTS: Final = numpy.concatenate(
    [numpy.linspace(-1e3, 1e3, 2_001), numpy.linspace(-8, 8, 641), [0.0, 1e-30, -1e-30]]
)


class ExportError(ValueError):
    """An expression or a request that cannot be exported."""


class MissingPackageError(ExportError):
    """A target whose files are written with a package that is not installed."""

    def __init__(self, target: str, package: str) -> None:
        super().__init__(
            f"the target {target} needs the package {package}; "
            f"install it, or actsearch[export-{target}]"
        )


def check_size(expression: Expression) -> None:
    """Refuses expressions too large to be printed in reasonable time.

    Raises:
        ExportError: With the size found and the size allowed.
    """
    if (size := expression.size) > MAX_EXPORT_SIZE:
        raise ExportError(
            f"the expression has {size:,} nodes; at most {MAX_EXPORT_SIZE:,} can be exported"
        )


def with_forms(expressions: Sequence[Expression], forms: Container[str]) -> tuple[Expression, ...]:
    """Writes what a target has no form for with the primitives that its row names instead.

    Args:
        expressions: What to write, in the language or beyond it.
        forms: What the target has a form for.
    """

    def transform(node: Expression) -> Expression | None:
        lowered = None if isinstance(node, Call) and node.primitive in forms else lowering(node)
        return None if lowered is None else written(lowered)

    written = rebuilding(transform)
    return tuple(map(written, expressions))


def lowering(node: Expression) -> Expression | None:
    """A call written with other primitives, as its row says; None of what has no such form."""
    row = PRIMITIVES.get(node.primitive) if isinstance(node, Call) else None
    return None if row is None or row.lowering is None else row.lowering(*node.arguments)


def number(value: float) -> Expression:
    """A number as an expression, infinities and NaN included."""
    if math.isnan(value):
        return NOT_A_NUMBER
    if math.isinf(value):
        return INFINITY if value > 0 else negate(INFINITY)
    return Constant(value)


def fold(expression: Expression) -> Expression:
    """Computes, in float64, every subtree that holds neither the input nor a parameter."""

    def compute(node: Expression) -> Expression:
        if not isinstance(node, Call) or node.primitive not in PRIMITIVES:
            return node
        return _folded(node.primitive, tuple(map(folded, node.operands)))

    folded = once_each(compute)
    return folded(expression)


def _folded(primitive: str, operands: tuple[Expression, ...]) -> Expression:
    """A call of operands that are folded."""
    if primitive == "where" and isinstance(operands[0], Constant):
        return operands[1] if operands[0].value >= 0 else operands[2]
    values = [constant_value(operand) for operand in operands]
    if any(value is None for value in values):
        return _tidied(Call(primitive, operands))
    with numpy.errstate(all="ignore"):
        return number(float(PRIMITIVES[primitive].define(NUMPY, *values)))


def _tidied(node: Call) -> Expression:
    """Signs that meet become one; the value stays the same to the last bit."""
    match node:
        case Call("neg", (Call("neg", (operand,)),)):
            return operand
        case Call("sub", (left, Call("neg", (right,)))):
            return Call("add", (left, right))
        case Call("add", (left, Call("neg", (right,)))):
            return Call("sub", (left, right))
        case Call("sub", (left, Constant(value))) if value < 0:
            return Call("add", (left, Constant(-value)))
        case Call("add", (left, Constant(value))) if value < 0:
            return Call("sub", (left, Constant(-value)))
    return node


def constant_value(expression: Expression) -> numpy.float64 | None:
    """The number that a folded expression is, or None if it is not one."""
    if isinstance(expression, Constant):
        return numpy.float64(expression.value)
    known = {INFINITY: math.inf, negate(INFINITY): -math.inf, NOT_A_NUMBER: math.nan}
    return numpy.float64(known[expression]) if expression in known else None


def stabilise(expression: Expression) -> Expression:
    """Writes what loses digits or underflows by the primitive that does not, where there is one.

    So with a power of 0.5, which is a root to us, and at negative infinity to others is not.
    """

    def transform(node: Expression) -> Expression | None:
        match node:
            case Call("log", (Call("sigmoid", (operand,)),)):
                return Call("log_sigmoid", (stabilise(operand),))
            case Call("log", (Call("add", (Constant(1.0), operand)),)) if operand.uses_input:
                return Call("log1p", (stabilise(operand),))
            case Call("log", (Call("add", (operand, Constant(1.0))),)) if operand.uses_input:
                return Call("log1p", (stabilise(operand),))
            case Call("sub", (Call("exp", (operand,)), Constant(1.0))):
                return Call("expm1", (stabilise(operand),))
            case Call("pow", (operand, Constant(0.5))):
                return Call("sqrt", (stabilise(operand),))
        return None

    return rebuild(expression, transform)


def guard_branches(expression: Expression) -> Expression:
    """Keeps the branch that a `where` does not take from spoiling the gradient of the other.

    Reverse-mode differentiation multiplies the slope of the branch not taken by 0. Where that slope
    is infinite or NaN the product is NaN. So each such branch is given another input wherever it is
    not taken, one at which its slope is finite.
    """

    def transform(node: Expression) -> Expression | None:
        match node:
            case Call("where", (condition, positive, negative)):
                condition = guard_branches(condition)
                return Call(
                    "where",
                    (
                        condition,
                        _guarded(guard_branches(positive), condition, taken=True),
                        _guarded(guard_branches(negative), condition, taken=False),
                    ),
                )
        return None

    return rebuild(expression, transform)


def _guarded(branch: Expression, condition: Expression, *, taken: bool) -> Expression:
    chosen = (evaluate(condition, _GUARD_POINTS) >= 0) == taken
    if not branch.uses_input or _slopes_are_finite(branch, _GUARD_POINTS[~chosen]):
        return branch
    for value in _SAFE_INPUTS:
        if _slopes_are_finite(branch, numpy.array([value])):
            safe = Constant(value)
            branches = (Variable(), safe) if taken else (safe, Variable())
            guard = Call("where", (condition, *branches))
            inputs = sum(isinstance(node, Variable) for node in branch.walk())
            if (size := branch.size + inputs * (guard.size - 1)) > _MOST_GUARDED:
                raise ExportError(
                    "pieces within pieces, whose gradients have to be kept from one another, make "
                    f"{size:,} nodes; at most {_MOST_GUARDED:,} can be exported: write them beside "
                    "one another, as a sum"
                )
            return substitute(branch, guard)
    return branch


def _slopes_are_finite(branch: Expression, points: numpy.ndarray) -> bool:
    """Whether every local slope within is a finite float32 at all points."""
    slopes = [slope for node in branch.walk() if isinstance(node, Call) for slope in partials(node)]
    return all((numpy.abs(evaluate(slope, points)) <= _FLOAT32_MAX).all() for slope in slopes)
