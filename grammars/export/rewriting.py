"""Rewrites expressions from the top, subtrees that are written alike once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from grammars.expressions.expression import Call, Expression

Rewriting: TypeAlias = Callable[[Expression], Expression]


def once_each(compute: Rewriting) -> Rewriting:
    """The same rewriting, done once for all subtrees that are written alike.

    A lowering and a derivative repeat their operand. Where such are nested, a tree has
    exponentially many subtrees, few of which differ (hash consing; Ershov, On Programming of
    Arithmetic Operations, 1958). Of equal subtrees the results are one object.

    Args:
        compute: Rewrites a node; what is below that by the result of this function.
    """
    # By the numbers of their operands, and leaves by their texts: 0 and -0 are equal as values.
    alike: dict[tuple[object, ...], int] = {}
    results: dict[int, Expression] = {}
    # A node is kept with its number, so that no other gets its address.
    seen: dict[int, tuple[Expression, int]] = {}

    def number(node: Expression) -> int:
        if id(node) not in seen:
            operands = map(number, node.arguments)
            key = (node.primitive, *operands) if isinstance(node, Call) else (str(node),)
            seen[id(node)] = node, alike.setdefault(key, len(alike))
        return seen[id(node)][1]

    def rewritten(node: Expression) -> Expression:
        place = number(node)
        if place not in results:
            results[place] = compute(node)
        return results[place]

    return rewritten


def rebuilding(transform: Callable[[Expression], Expression | None]) -> Rewriting:
    """Rewrites trees from the top: where `transform` has an answer it stands for the subtree."""

    def compute(node: Expression) -> Expression:
        if (answer := transform(node)) is not None:
            return answer
        if not isinstance(node, Call):
            return node
        return Call(node.primitive, tuple(map(rewritten, node.operands)))

    rewritten = once_each(compute)
    return rewritten


def rebuild(
    expression: Expression, transform: Callable[[Expression], Expression | None]
) -> Expression:
    """Rewrites a single tree from the top; see `rebuilding`."""
    return rebuilding(transform)(expression)
