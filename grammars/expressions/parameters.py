"""The names of an expression's trainable parameters: where they clash, and how to change them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from grammars.expressions.expression import Call, Expression, Parameter, Scope


def conflicting_parameters(expression: Expression) -> tuple[str, ...]:
    """Names that are given more than one start or scope, in order of appearance."""
    counts = Counter(parameter.name for parameter in expression.parameters)
    return tuple(name for name, count in counts.items() if count > 1)


def rename_parameters(
    expression: Expression,
    names: Sequence[str],
    *,
    start: float | None = None,
    per: Scope | None = None,
) -> Expression:
    """Gives the distinct parameters new names in order of first appearance.

    Two parents of a crossover may use one name for different parameters; here they part again.

    Args:
        expression: What to rename in.
        names: At least as many names as there are distinct parameters.
        start: A start for all of them, if not their own.
        per: A scope for all of them, if not their own.
    """
    renamed = {
        parameter: Parameter(
            name, parameter.start if start is None else start, per or parameter.per
        )
        for parameter, name in zip(expression.parameters, names, strict=False)
    }

    def rebuild(node: Expression) -> Expression:
        match node:
            case Parameter():
                return renamed[node]
            case Call(operands=operands):
                return replace(node, operands=tuple(map(rebuild, operands)))
            case _:
                return node

    return rebuild(expression) if renamed else expression
