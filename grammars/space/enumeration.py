"""All functions that a grammar can write, by size, each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product, takewhile
from random import Random

from grammars.expressions.expression import Constant, Expression, X
from grammars.numerics.fingerprint import FunctionIndex
from grammars.space.grammar import Grammar
from grammars.space.sampling import PARAMETER_NAMES


@dataclass(frozen=True)
class Tally:
    """How much a grammar holds at one size.

    Attributes:
        size: Nodes.
        expressions: How many expressions of exactly this size can be written.
        functions: How many of them are functions that no smaller expression computes.
    """

    size: int
    expressions: int
    functions: int


def enumerate_functions(grammar: Grammar, *, max_size: int) -> Iterator[Expression]:
    """Yields the distinct functions of a grammar, the smallest expression of each, by size.

    Without rules on nesting or the root, larger expressions are built from the distinct functions
    alone: whatever stands in an expression can be replaced by its smallest equal. With such rules
    every expression is built, and far fewer sizes are within reach. One constant stands for all of
    a range, and one trainable parameter for all.

    Args:
        grammar: Any.
        max_size: Most nodes; the grammar's own limits hold as well.

    Yields:
        Expressions that the grammar can write and no two of which compute the same.
    """
    free = _is_free(grammar)
    index = FunctionIndex()
    for expression in _written(grammar, max_size, index if free else None):
        if grammar.violation(expression) is not None:
            continue
        key = str(expression)
        if free or index.find_or_add(key, expression) == key:
            yield expression


def tally(grammar: Grammar, *, max_size: int, most_expressions: int = 100_000) -> tuple[Tally, ...]:
    """Counts what a grammar holds, size by size.

    Args:
        grammar: Any.
        max_size: Where to stop.
        most_expressions: The first size at which more would have to be written down is left out,
            and all beyond it.
    """
    free = _is_free(grammar)
    possible = _counts(grammar, min(max_size, grammar.max_size))
    # Without primitives of one argument every even size is empty, also one beyond the limit.
    sizes = list(takewhile(lambda size: possible[size] <= most_expressions, possible))
    written = possible if free else dict.fromkeys(sizes, 0)
    functions = dict.fromkeys(sizes, 0)
    if not free:
        for expression in _written(grammar, sizes[-1], None):
            written[expression.size] += grammar.violation(expression) is None
    for expression in enumerate_functions(grammar, max_size=sizes[-1]):
        functions[expression.size] += 1
    return tuple(Tally(size, written[size], functions[size]) for size in sizes)


def _is_free(grammar: Grammar) -> bool:
    """Whether any operand may stand anywhere."""
    nesting = grammar.nesting
    slots = [slot for name in grammar.primitives for slot in grammar.slots(name)]
    rules = (nesting.not_inside, nesting.at_most, nesting.only_of, grammar.root)
    return not any(rules) and not grammar.input_at_root and set(slots) == {"any"}


def _written(grammar: Grammar, max_size: int, index: FunctionIndex | None) -> Iterator[Expression]:
    """Expressions by size; with an index, only the first of those that compute the same."""
    by_size: dict[int, list[Expression]] = {}
    for size in range(1, min(max_size, grammar.max_size) + 1):
        by_size[size] = []
        for expression in _composed(grammar, by_size, size):
            key = str(expression)
            if index is None or index.find_or_add(key, expression) == key:
                by_size[size].append(expression)
                yield expression


def _terminals(grammar: Grammar) -> list[Expression]:
    terminals: list[Expression] = [X]
    if constants := grammar.constants:
        usual = next((v for v in (1.0, 0.0, constants.low) if constants.allows(v)), None)
        terminals += [Constant(v) for v in constants.choices or (usual,) if v is not None]
    if grammar.parameters:
        terminals.append(grammar.parameters.draw(Random(0), name=PARAMETER_NAMES[0]))
    return terminals


def _composed(
    grammar: Grammar, by_size: dict[int, list[Expression]], size: int
) -> Iterator[Expression]:
    """Calls of `size` nodes whose operands are among the distinct functions found so far."""
    if size == 1:
        yield from _terminals(grammar)
    for name in grammar.primitives:
        for sizes in _splits(size - 1, len(grammar.slots(name))):
            for operands in product(*(by_size[part] for part in sizes)):
                yield grammar.call(name, operands)


def _splits(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """The ways to write `total` as an ordered sum of positive parts."""
    if parts == 1:
        if total >= 1:
            yield (total,)
        return
    for first in range(1, total - parts + 2):
        for rest in _splits(total - first, parts - 1):
            yield first, *rest


def _counts(grammar: Grammar, max_size: int) -> dict[int, int]:
    """How many expressions with x there are of each size, without writing them."""
    terminals = len(_terminals(grammar))
    everything, without_input = {1: terminals}, {1: terminals - 1}
    for size in range(2, max_size + 1):
        for counts in (everything, without_input):
            total = 0
            for name in grammar.primitives:
                for sizes in _splits(size - 1, len(grammar.slots(name))):
                    ways = 1
                    for part in sizes:
                        ways *= counts[part]
                    total += ways
            counts[size] = total
    return {size: everything[size] - without_input[size] for size in everything}
