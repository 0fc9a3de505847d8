"""Finds the whole published functions inside an expression, for which frameworks have code."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

import numpy

from grammars.algebra.signs import is_total
from grammars.export.rewriting import rebuild
from grammars.expressions.expression import Call, Constant, Expression, Variable, substitute
from grammars.numerics.compilation import evaluate
from grammars.parsing.parser import parse
from grammars.primitives import PRIMITIVES

# What the frameworks call a function by a name of its own, in our language. Primitives, such as
# softplus, need no entry.
WHOLE_FUNCTIONS: Final = {
    "silu": "x * sigmoid(x)",
    "gelu": "0.5 * x * (1 + erf(x / sqrt(2)))",
    "gelu_tanh": "0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))",
    "mish": "x * tanh(softplus(x))",
    "elu": "where(x >= 0, x, expm1(x))",
    "selu": "1.0507009873554805 * where(x >= 0, x, 1.6732632423542772 * expm1(x))",
    "leaky_relu": "max(0.01 * x, x)",
    "relu6": "clip(x, 0, 6)",
    "hard_sigmoid": "clip(x / 6 + 0.5, 0, 1)",
    "hard_swish": "x * clip(x / 6 + 0.5, 0, 1)",
    "softsign": "x / (1 + abs(x))",
    "relu": "relu(x)",
    "softplus": "softplus(x)",
    "log_sigmoid": "log_sigmoid(x)",
    "tanh": "tanh(x)",
    "sigmoid": "sigmoid(x)",
}

# No published form of these functions is larger; what is larger is not worth the search.
_MAX_SIZE: Final = 24
_RELATIVE_TOLERANCE: Final = 1e-13
# No published function has a number so small. Where one stands, it is there for the sake of what it
# keeps away, such as 0 below a root, though no comparison in float64 tells it from nothing.
_LEAST_NUMBER: Final = 1e-9
_NAN: Final = numpy.array(numpy.nan)
_ZERO: Final = numpy.array(0.0)
_FEW_POINTS: Final = numpy.array([-7.3, -2.6, -1.1, -0.2, 0.0, 0.3, 0.9, 1.7, 3.2, 8.4])
_MANY_POINTS: Final = numpy.concatenate(
    [
        numpy.linspace(-12, 12, 4_801),
        numpy.linspace(-1e3, 1e3, 2_001),
        # As far as any cap, and no farther: guarded exponentials outlast what falls faster.
        numpy.array([sign * 10.0**power for sign in (-1, 1) for power in range(-30, 21)]),
    ]
)


def recognise(expression: Expression, names: Collection[str]) -> Expression:
    """Writes the largest known parts as calls of the known function.

    Two forms are one function when they agree to the last few bits of a float64 on thousands of
    points, however either is written; of an argument that may be NaN, at NaN as well. The files are
    verified afterwards all the same.

    Args:
        expression: What to search, in the language.
        names: The whole functions that the target has.

    Returns:
        The expression with calls such as `gelu(u)`, which are beyond the language and only a
        target's printer understands.
    """

    def transform(node: Expression) -> Expression | None:
        if not isinstance(node, Call) or node.size > _MAX_SIZE or node.parameters:
            return None
        for operand in _operands(node):
            function = _as_function_of(operand, node)
            name = _name(function, names)
            # A primitive keeps its own column; it is a discovery only under another form.
            if function is None or name is None or name == node.primitive:
                continue
            if is_total(operand) or _agree_at_nan(function, name):
                return Call(name, (recognise(operand, names),))
        return None

    return rebuild(expression, transform)


def published(expression: Expression) -> Expression:
    """Writes each whole function that was recognised as it was published."""

    def transform(node: Expression) -> Expression | None:
        match node:
            case Call(name, (operand,)) if name in WHOLE_FUNCTIONS and name not in PRIMITIVES:
                return substitute(_definition(name), published(operand))
        return None

    return rebuild(expression, transform)


def _operands(node: Call) -> list[Expression]:
    """The subtrees that the whole node may be a function of, the largest first."""
    within = [part for part in dict.fromkeys(node.walk()) if part != node and part.uses_input]
    return sorted(within, key=lambda part: -part.size)


def _as_function_of(operand: Expression, node: Expression) -> Expression | None:
    """`node` with `operand` for the input, or None if the input also occurs outside of it."""
    marker = Call("_", ())
    abstract = rebuild(node, lambda part: marker if part == operand else None)
    if abstract.uses_input:
        return None
    return rebuild(abstract, lambda part: Variable() if part == marker else None)


def _name(function: Expression | None, names: Collection[str]) -> str | None:
    if function is None or isinstance(function, Variable | Constant) or _has_tiny_number(function):
        return None
    few = evaluate(function, _FEW_POINTS)
    for name in names:
        if not _agree(few, _values(name, many=False)):
            continue
        if _agree(evaluate(function, _MANY_POINTS), _values(name, many=True)):
            return name
    return None


def _has_tiny_number(function: Expression) -> bool:
    numbers = (node for node in function.walk() if not node.uses_input and not node.parameters)
    return any(0.0 < abs(evaluate(number, _ZERO)) < _LEAST_NUMBER for number in numbers)


@cache
def _values(name: str, *, many: bool) -> numpy.ndarray:
    return evaluate(_definition(name), _MANY_POINTS if many else _FEW_POINTS)


@cache
def _definition(name: str) -> Expression:
    return parse(WHOLE_FUNCTIONS[name], definitions={})


def _agree_at_nan(function: Expression, name: str) -> bool:
    """Whether both are NaN at NaN, or neither is: `where(u >= 0, u, 0)` is 0 there."""
    return bool(
        numpy.isnan(evaluate(function, _NAN)) == numpy.isnan(evaluate(_definition(name), _NAN))
    )


def _agree(left: numpy.ndarray, right: numpy.ndarray) -> bool:
    # Where a form loses its small values by cancellation, as 1 + erf does, the loss is absolute.
    tolerance = _RELATIVE_TOLERANCE * (numpy.abs(right) + 1.0)
    return bool((numpy.abs(left - right) <= tolerance).all())
