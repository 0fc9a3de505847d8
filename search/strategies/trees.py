"""DEAP's trees from expressions and back, and the loan of Python's random state to DEAP."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from deap import base, gp

from grammars import Call, Expression, Grammar
from search.candidates.racing import Standing


class Anything:
    """Type of an operand that may be any subtree."""


class Fixed:
    """Type of an operand that must be a constant, such as an exponent."""


class Input:
    """Type of an operand that must be `x`, such as what a `where` compares with 0."""


_TYPES = {"any": Anything, "constant": Fixed, "input": Input}


class Fitness(base.Fitness):  # type: ignore[misc]
    """Rung reached, then score: what trained longer was among the best of those below."""

    weights = (1.0, 1.0)


class Individual(gp.PrimitiveTree):  # type: ignore[misc]
    """A DEAP tree with its place in the search.

    A plain subclass, since the classes of `deap.creator` live in a global module.

    Attributes:
        fitness: What DEAP selects by.
        candidate_id: Of the candidate that it is.
        born: Its number in the order of birth; the greater, the younger.
        standing: Of the candidate, once it was told.
        ancestors: Ids of the candidates that it was bred from, where none of what lies between was
            trained.
    """

    def __init__(self, nodes: Iterable[Any], *, candidate_id: str = "", born: int = 0) -> None:
        super().__init__(nodes)
        self.fitness: base.Fitness = Fitness()
        self.candidate_id, self.born = candidate_id, born
        self.standing: Standing | None = None
        self.ancestors: tuple[str, ...] = ()

    @property
    def rank_key(self) -> tuple[int, float]:
        """Of the standing; a greater one is better."""
        return (0, float("-inf")) if self.standing is None else self.standing.rank_key


@contextmanager
def lent_random(generator: random.Random) -> Iterator[None]:
    """Lets DEAP, which draws from the global `random`, draw from `generator` instead."""
    own_state = random.getstate()
    random.setstate(generator.getstate())
    try:
        yield
    finally:
        generator.setstate(random.getstate())
        random.setstate(own_state)


class CallNode(gp.Primitive):  # type: ignore[misc]
    """The node of a primitive.

    Attributes:
        definition: What the grammar defines it as, None for the primitives of the language.
    """

    definition: Expression | None = None


def call_node(name: str, grammar: Grammar) -> CallNode:
    """The node of a primitive, with the types of its operands."""
    return _call_node(name, tuple(grammar.slots(name)), grammar.defined.get(name))


@cache
def _call_node(name: str, slots: tuple[str, ...], definition: Expression | None) -> CallNode:
    node = CallNode(name, [_TYPES[slot] for slot in slots], Anything)
    node.definition = definition
    return node


def leaf_node(value: Expression, accepted: type = Anything) -> gp.Terminal:
    """The node of `x`, a constant or a trainable parameter."""
    return gp.Terminal(value, False, accepted)


def to_tree(expression: Expression, grammar: Grammar) -> Individual:
    """The expression as a DEAP tree."""
    return Individual(_prefix(expression, grammar, Anything))


def _prefix(expression: Expression, grammar: Grammar, accepted: type) -> Iterator[Any]:
    if isinstance(expression, Call):
        node = call_node(expression.primitive, grammar)
        yield node
        for operand, below in zip(expression.operands, node.args, strict=True):
            yield from _prefix(operand, grammar, below)
    else:
        yield leaf_node(expression, accepted)


def to_expression(tree: Iterable[Any]) -> Expression:
    """The DEAP tree as an expression."""
    pending: list[Expression] = []
    for node in reversed(list(tree)):
        if node.arity:
            operands = tuple(pending.pop() for _ in range(node.arity))
            pending.append(Call(node.name, operands, node.definition))
        else:
            pending.append(node.value)
    (whole,) = pending
    return whole
