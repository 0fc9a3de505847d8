"""How trees are varied: each operator makes only what the grammar can write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Final

from grammars import Constant, Expression, Grammar, Parameter
from grammars.expressions.expression import X
from grammars.space.sampling import PARAMETER_NAMES
from search.strategies.places import Anatomy, Branch, dissect, joined, leaf
from search.strategies.trees import (
    Anything,
    Fixed,
    Individual,
    call_node,
    leaf_node,
    to_tree,
)

Mutation = Callable[[Individual, Grammar, Random], Individual | None]
"""Makes a child that the grammar can write; None if the operator finds nothing to do."""

# Koza's preference: subtrees are worth more to the receiver than leaves.
CALLS_PREFERRED: Final = 0.9

# Depth of the random tree whose parts a subtree mutation inserts.
DONOR_DEPTH: Final = (1, 3)

# How often a constant is drawn anew instead of being moved a little, and the standard deviation of
# a move, as a share of the grammar's range.
REDRAWN: Final = 0.2
STEP: Final = 0.05


def crossover(
    first: Individual, second: Individual, grammar: Grammar, generator: Random
) -> Individual | None:
    """Puts a subtree of the second tree in place of one of the first (Koza 1992).

    Unlike `gp.cxOnePoint` it considers only subtrees that may stand there, and draws from lists in
    tree order: DEAP draws a type from a set that memory addresses order, so that one seed would
    give different campaigns.

    Args:
        first: Receives.
        second: Gives; its trainable parameters get names that the first does not use.
        grammar: Can write both, and will be able to write the child.
        generator: Decides.

    Returns:
        The child, None if the trees have nothing to exchange.
    """
    anatomy = dissect(first, grammar)
    offers = [branch for branch in dissect(second, grammar).branches if _is_free(branch)]
    for index in _shuffled(anatomy.free, generator):
        place = anatomy.place(index)
        fitting = [branch for branch in offers if place.accepts(branch)]
        fitting = [b for b in fitting if b.nodes != anatomy.branches[index].nodes]
        if fitting:
            return _grafted(anatomy, index, _preferring_calls(fitting, generator))
    return None


def subtree(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Puts the largest fitting part of a random tree in place of a subtree.

    Jones calls it headless chicken crossover (Crossover, Macromutation and Population-based
    Search, 1995).
    """
    anatomy = dissect(tree, grammar)
    donor = to_tree(grammar.sample(generator, depth=DONOR_DEPTH), grammar)
    # In prefix order a subtree comes before its parts.
    offers = [branch for branch in dissect(donor, grammar).branches if _is_free(branch)]
    for index in _shuffled(anatomy.free, generator):
        place = anatomy.place(index)
        for branch in offers:
            if place.accepts(branch) and branch.nodes != anatomy.branches[index].nodes:
                return _grafted(anatomy, index, branch)
    return None


def point(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Exchanges one primitive for another over the same operands, or one terminal."""
    anatomy = dissect(tree, grammar)
    for index in _shuffled(anatomy.free, generator):
        branch, place = anatomy.branches[index], anatomy.place(index)
        options = (
            _other_calls(anatomy, index, grammar)
            if branch.is_call
            else [leaf(value) for value in _terminals(grammar, generator)]
        )
        options = [option for option in options if place.accepts(option)]
        options = [option for option in options if option.nodes[0].name != branch.root.name]
        if options:
            return _grafted(anatomy, index, generator.choice(options))
    return None


def insertion(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Puts a subtree under a new primitive, whose other operands are terminals."""
    anatomy = dissect(tree, grammar)
    for index in _shuffled(anatomy.free, generator):
        place = anatomy.place(index)
        options: list[Branch] = []
        weights: list[float] = []
        for name, weight in grammar.primitives.items():
            operands = _around(name, anatomy.branches[index], grammar, generator)
            if not place.has_room(operands):
                continue
            branch = joined(name, operands, grammar)
            if branch is not None and place.accepts(branch):
                options.append(branch)
                weights.append(weight)
        if options:
            return _grafted(anatomy, index, generator.choices(options, weights)[0])
    return None


def shrinking(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Puts one of its operands in place of a call."""
    anatomy = dissect(tree, grammar)
    for index in _shuffled(anatomy.free, generator):
        place = anatomy.place(index)
        operands = [operand for operand in anatomy.operands(index) if place.accepts(operand)]
        if operands:
            return anatomy.replaced(index, generator.choice(operands))
    return None


def hoisting(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Makes an inner call the whole tree (Kinnear, Evolving a Sort, 1993)."""
    anatomy = dissect(tree, grammar)
    inner, root = [b for b in anatomy.branches[1:] if b.is_call], anatomy.place(0)
    fitting = [branch for branch in inner if root.accepts(branch)]
    return anatomy.replaced(0, generator.choice(fitting)) if fitting else None


def constant(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Moves a constant by a small Gaussian step, or draws it anew."""
    anatomy = dissect(tree, grammar)
    found = [index for index, branch in enumerate(anatomy.branches) if branch.is_constant]
    for index in _shuffled(found, generator):
        before = tree[index].value
        after = _moved(before, grammar, generator)
        if after is not None and after != before:
            child = anatomy.replaced(index, leaf(after, tree[index].ret))
            return _with_ordered_bounds(child)
    return None


def branch_swap(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Exchanges what a `where` computes above zero and below."""
    anatomy = dissect(tree, grammar)
    found = [index for index, node in enumerate(tree) if node.name == "where"]
    for index in _shuffled(found, generator):
        condition, positive, negative = anatomy.operands(index)
        swapped = joined("where", [condition, negative, positive], grammar)
        if swapped is not None and swapped.nodes != anatomy.branches[index].nodes:
            return anatomy.replaced(index, swapped)
    return None


def parameter_addition(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Multiplies a subtree by a fresh trainable parameter, or lets a constant be learnt."""
    rule = grammar.parameters
    if rule is None:
        return None
    anatomy = dissect(tree, grammar)
    for index in _shuffled(anatomy.free, generator):
        branch = anatomy.branches[index]
        if branch.is_parameter:
            continue
        fresh = leaf(rule.draw(generator, name=_unused(anatomy.branches[0].parameters)[0]))
        if branch.is_constant:
            learnt: Branch | None = fresh
        else:
            learnt = (
                joined("mul", [fresh, branch], grammar) if "mul" in grammar.primitives else None
            )
        if learnt is not None and anatomy.place(index).accepts(learnt):
            return anatomy.replaced(index, learnt)
    return None


def parameter_removal(tree: Individual, grammar: Grammar, generator: Random) -> Individual | None:
    """Leaves a trainable factor out, or fixes a parameter where it starts."""
    anatomy = dissect(tree, grammar)
    for index in _shuffled(anatomy.free, generator):
        branch = anatomy.branches[index]
        options: list[Branch] = []
        if branch.root.name == "mul":
            first, second = anatomy.operands(index)
            options = [second] * first.is_parameter + [first] * second.is_parameter
        elif branch.is_parameter and grammar.constants is not None:
            start = branch.root.value.start
            options = [leaf(Constant(start))] * grammar.constants.allows(start)
        place = anatomy.place(index)
        options = [option for option in options if place.accepts(option)]
        if options:
            return anatomy.replaced(index, generator.choice(options))
    return None


MUTATIONS: Final[Mapping[str, Mutation]] = {
    "subtree mutation": subtree,
    "point mutation": point,
    "insertion": insertion,
    "shrinking": shrinking,
    "hoisting": hoisting,
    "constant mutation": constant,
    "branch swap": branch_swap,
    "parameter addition": parameter_addition,
    "parameter removal": parameter_removal,
}


def applicable(grammar: Grammar) -> tuple[str, ...]:
    """The mutations that can ever do something under a grammar."""
    constants, root = grammar.constants, grammar.root
    pointless = {
        "hoisting": root is not None and grammar.nesting.at_most.get(root) == 1,
        "constant mutation": constants is None or len(constants.choices) == 1,
        "branch swap": "where" not in grammar.primitives,
        "parameter addition": grammar.parameters is None,
        "parameter removal": grammar.parameters is None,
    }
    return tuple(name for name in MUTATIONS if not pointless.get(name))


def _is_free(branch: Branch) -> bool:
    return branch.root.ret is Anything


def _shuffled(indices: Sequence[int], generator: Random) -> list[int]:
    return generator.sample(indices, len(indices))


def _preferring_calls(branches: Sequence[Branch], generator: Random) -> Branch:
    calls = [branch for branch in branches if branch.is_call]
    prefers = generator.random() < CALLS_PREFERRED
    return generator.choice(calls if calls and prefers else branches)


def _grafted(anatomy: Anatomy, index: int, branch: Branch) -> Individual:
    """The tree with a foreign branch, whose parameters get names that are free."""
    unused = _unused(anatomy.place(index).parameters)
    renamed = {
        parameter: Parameter(name, parameter.start, parameter.per)
        for parameter, name in zip(branch.parameters, unused, strict=False)
    }
    nodes = tuple(
        leaf_node(renamed[node.value]) if not node.arity and node.value in renamed else node
        for node in branch.nodes
    )
    start, stop = index, index + len(anatomy.branches[index].nodes)
    return Individual([*anatomy.tree[:start], *nodes, *anatomy.tree[stop:]])


def _unused(parameters: Sequence[Parameter]) -> list[str]:
    taken = {parameter.name for parameter in parameters}
    return [name for name in PARAMETER_NAMES if name not in taken]


def _other_calls(anatomy: Anatomy, index: int, grammar: Grammar) -> list[Branch]:
    """The call at a node with every other primitive that takes the same kinds of operands."""
    node, operands = anatomy.tree[index], anatomy.operands(index)
    names = [
        name
        for name in grammar.primitives
        if name != node.name and call_node(name, grammar).args == node.args
    ]
    calls = (joined(name, operands, grammar) for name in names)
    return [call for call in calls if call is not None]


def _terminals(grammar: Grammar, generator: Random) -> Iterator[Expression]:
    """`x`, a constant and a parameter, as far as the grammar has them."""
    yield X
    if grammar.constants is not None:
        yield grammar.constants.draw(generator)
    if grammar.parameters is not None and grammar.parameters.weight > 0:
        yield grammar.parameters.draw(generator, name=PARAMETER_NAMES[0])


def _around(name: str, inner: Branch, grammar: Grammar, generator: Random) -> list[Branch]:
    """Operands for a primitive: the inner branch somewhere, terminals elsewhere."""
    types = call_node(name, grammar).args
    own = generator.choice([place for place, accepted in enumerate(types) if accepted is Anything])
    operands = []
    for place, accepted in enumerate(types):
        if place == own:
            operands.append(inner)
        elif accepted is Anything:
            # Without a parameter: it might take a name that the inner branch uses.
            values = [v for v in _terminals(grammar, generator) if not isinstance(v, Parameter)]
            operands.append(leaf(generator.choice(values)))
        elif accepted is Fixed:
            operands.append(leaf(grammar.sample_constant(generator), Fixed))
        else:
            operands.append(leaf(X, accepted))
    if name == "clip":
        operands[1:] = sorted(operands[1:], key=lambda bound: bound.root.value.value)
    return operands


def _moved(before: Constant, grammar: Grammar, generator: Random) -> Constant | None:
    """A constant near `before`, or another that the grammar draws; None if it has no other."""
    rule = grammar.constants
    if rule is None:
        return None
    if rule.choices:
        others = [choice for choice in rule.choices if choice != before.value]
        return Constant(generator.choice(others)) if others else None
    if generator.random() < REDRAWN:
        return rule.draw(generator)
    # At least one unit of the last printed digit, so that a step is never lost in rounding.
    unit = 10.0**-rule.decimals
    step = generator.gauss(0.0, STEP * (rule.high - rule.low))
    step = step if abs(step) >= unit else unit if step >= 0 else -unit
    value = round(before.value + step, rule.decimals)
    return Constant(min(max(value, rule.low), rule.high) + 0.0)


def _with_ordered_bounds(tree: Individual) -> Individual:
    """Puts the bounds of every clip in order, as samples have them."""
    for index, node in enumerate(tree):
        if node.name == "clip":
            last = tree.searchSubtree(index).stop - 1
            low, high = tree[last - 1], tree[last]
            if low.value.value > high.value.value:
                tree[last - 1], tree[last] = high, low
    return tree
