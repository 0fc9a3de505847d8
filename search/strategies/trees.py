"""DEAP's trees from expressions and back, and the loan of Python's random state to DEAP."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from deap import base, gp

from grammars import Call, Constant, Expression, Grammar, Parameter, Variable
from grammars.sampling import PARAMETER_NAMES


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
    """A DEAP tree with its fitness and the id of its candidate.

    A plain subclass, since the classes of `deap.creator` live in a global module.
    """

    def __init__(self, nodes: Any, *, candidate_id: str = "") -> None:
        super().__init__(nodes)
        self.fitness = Fitness()
        self.candidate_id = candidate_id


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


def primitive_set(grammar: Grammar) -> gp.PrimitiveSetTyped:
    """The grammar as DEAP sees it; its operators draw nodes from here."""
    nodes = gp.PrimitiveSetTyped(grammar.name, [], Anything)
    for name in grammar.primitives:
        types = [_TYPES[slot] for slot in grammar.slots(name)]
        # Trees are data here; DEAP never calls the function that it asks for.
        nodes.addPrimitive(_never_called, types, Anything, name=name)
    nodes.addTerminal(Variable(), Anything)
    nodes.addTerminal(Variable(), Input)
    if grammar.constants is not None:
        for accepted in (Anything, Fixed):
            nodes.addEphemeralConstant(
                _constant_name(accepted), partial(_draw, grammar.sample_constant), accepted
            )
    if grammar.parameters is not None:
        draw_parameter = partial(_draw, partial(_sample_parameter, grammar))
        nodes.addEphemeralConstant("parameter", draw_parameter, Anything)
    return nodes


def _never_called(*_: object) -> None:
    raise AssertionError("DEAP trees are data; expressions are compiled by the grammar")


def _constant_name(accepted: type) -> str:
    return f"constant_{accepted.__name__}"


def _draw(sample: Callable[[random.Random], Expression]) -> Expression:
    # A generator of its own, seeded by the global one that DEAP's operators draw from.
    return sample(random.Random(random.getrandbits(64)))


def _sample_parameter(grammar: Grammar, generator: random.Random) -> Expression:
    rule = grammar.parameters
    assert rule is not None
    return rule.draw(generator, name=generator.choice(PARAMETER_NAMES[: rule.max_count]))


def to_tree(expression: Expression, nodes: gp.PrimitiveSetTyped) -> Individual:
    """The expression as a DEAP tree over `nodes`."""
    return Individual(list(_prefix(expression, nodes, Anything)))


def _prefix(expression: Expression, nodes: gp.PrimitiveSetTyped, accepted: type) -> Iterator[Any]:
    match expression:
        case Call(name, operands):
            primitive = nodes.mapping[name]
            yield primitive
            for operand, below in zip(operands, primitive.args, strict=True):
                yield from _prefix(operand, nodes, below)
        case Constant() if _constant_name(accepted) in nodes.mapping:
            yield _ephemeral(nodes.mapping[_constant_name(accepted)], expression)
        case Parameter() if "parameter" in nodes.mapping:
            yield _ephemeral(nodes.mapping["parameter"], expression)
        case _:
            yield gp.Terminal(expression, False, accepted)


def _ephemeral(kind: Any, value: Expression) -> Any:
    # Not `kind()`, which would draw a value, and so spend a random number, only to replace it.
    terminal = kind.__new__(kind)
    terminal.value = value
    return terminal


def to_expression(tree: gp.PrimitiveTree) -> Expression:
    """The DEAP tree as an expression."""
    pending: list[Expression] = []
    for node in reversed(tree):
        if node.arity:
            operands = tuple(pending.pop() for _ in range(node.arity))
            pending.append(Call(node.name, operands))
        else:
            pending.append(node.value)
    (whole,) = pending
    return whole
