"""Which subtrees may stand where in a tree: the rules of a grammar, seen from one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grammars import Constant, Grammar, Parameter, Variable
from search.strategies.trees import Anything, Individual, call_node, leaf_node

Nodes = tuple[Any, ...]


@dataclass(frozen=True)
class Branch:
    """A subtree, with what the rules ask about it.

    Attributes:
        nodes: DEAP's nodes in prefix order.
        depth: Edges to its deepest leaf.
        calls: How often each primitive occurs.
        parameters: Its distinct trainable parameters, in order of appearance.
        uses_input: Whether a value that it computes depends on `x`.
        takes_input: Whether `x` itself is an operand of its root.
    """

    nodes: Nodes
    depth: int
    calls: Counter[str]
    parameters: tuple[Parameter, ...]
    uses_input: bool
    takes_input: bool = False

    @classmethod
    def leaf(cls, node: Any) -> Branch:
        """A terminal."""
        value = node.value
        parameters = (value,) if isinstance(value, Parameter) else ()
        return cls((node,), 0, Counter(), parameters, isinstance(value, Variable))

    @classmethod
    def call(cls, node: Any, operands: Sequence[Branch]) -> Branch:
        """A primitive over its operands."""
        free = [operand for operand in operands if operand.root.ret is Anything]
        calls = Counter({node.name: 1})
        for operand in operands:
            calls.update(operand.calls)
        return cls(
            (node, *(below for operand in operands for below in operand.nodes)),
            1 + max(operand.depth for operand in operands),
            calls,
            tuple(dict.fromkeys(p for operand in operands for p in operand.parameters)),
            any(operand.uses_input for operand in free),
            any(operand.is_input for operand in free),
        )

    @property
    def root(self) -> Any:
        """The node at the top."""
        return self.nodes[0]

    @property
    def is_call(self) -> bool:
        """Whether a primitive is at the top."""
        return bool(self.root.arity)

    @property
    def is_input(self) -> bool:
        """Whether this is `x` itself."""
        return not self.is_call and isinstance(self.root.value, Variable)

    @property
    def is_constant(self) -> bool:
        """Whether this is a single constant."""
        return not self.is_call and isinstance(self.root.value, Constant)

    @property
    def is_parameter(self) -> bool:
        """Whether this is a single trainable parameter."""
        return not self.is_call and isinstance(self.root.value, Parameter)


@dataclass(frozen=True)
class Place:
    """What is left for a subtree where one stands now.

    Attributes:
        grammar: Whose rules are kept.
        accepted: Type of the operand, None at the root.
        size: Nodes that fit.
        depth: Edges to the deepest leaf that fit.
        above: Primitives on the way from the root, the nearest one last.
        calls: How often each primitive occurs elsewhere in the tree.
        parameters: Trainable parameters elsewhere in the tree.
        needs_input: Whether a call above would not depend on `x` otherwise.
        must_be_input: Whether nothing but `x` itself keeps the rule for the root.
    """

    grammar: Grammar
    accepted: type
    size: int
    depth: int
    above: tuple[str, ...]
    calls: Counter[str]
    parameters: tuple[Parameter, ...]
    needs_input: bool
    must_be_input: bool

    def accepts(self, branch: Branch) -> bool:
        """Whether the tree keeps every rule with `branch` here, if it and the tree did before."""
        return (
            branch.root.ret is self.accepted
            and len(branch.nodes) <= self.size
            and branch.depth <= self.depth
            and (branch.uses_input or not self.needs_input)
            and (branch.is_input or not self.must_be_input)
            and self._parameters_fit(branch)
            and self._root_fits(branch)
            and all(self._may_occur(name, count) for name, count in branch.calls.items())
        )

    def _parameters_fit(self, branch: Branch) -> bool:
        rule = self.grammar.parameters
        distinct = len(self.parameters) + len(branch.parameters)
        return not branch.parameters or (rule is not None and distinct <= rule.max_count)

    def _root_fits(self, branch: Branch) -> bool:
        if self.above:
            only = self.grammar.nesting.only_of.get(self.above[-1])
            return only is None or (branch.is_call and branch.root.name in only)
        named = self.grammar.root is None or branch.root.name == self.grammar.root
        return named and (branch.takes_input or not self.grammar.input_at_root)

    def _may_occur(self, name: str, count: int) -> bool:
        nesting = self.grammar.nesting
        most = nesting.at_most.get(name)
        enough_left = most is None or self.calls[name] + count <= most
        return enough_left and not set(nesting.not_inside.get(name, ())).intersection(self.above)


@dataclass(frozen=True)
class Anatomy:
    """A tree taken apart.

    Attributes:
        tree: What was taken apart.
        branches: The subtree at each node, in prefix order.
        places: What each of them could be replaced by.
    """

    tree: Individual
    branches: tuple[Branch, ...]
    places: tuple[Place, ...]

    @property
    def free(self) -> list[int]:
        """Where any subtree may stand, the root included."""
        return [index for index, place in enumerate(self.places) if place.accepted is Anything]

    def operands(self, index: int) -> list[Branch]:
        """The subtrees directly below a node."""
        found, start = [], index + 1
        for _ in range(self.tree[index].arity):
            found.append(self.branches[start])
            start += len(self.branches[start].nodes)
        return found

    def replaced(self, index: int, branch: Branch) -> Individual:
        """The tree with `branch` in place of the subtree at a node."""
        stop = index + len(self.branches[index].nodes)
        return Individual([*self.tree[:index], *branch.nodes, *self.tree[stop:]])


def dissect(tree: Individual, grammar: Grammar) -> Anatomy:
    """Takes a tree apart, in time proportional to its size times its depth."""
    branches = _branches(tree)
    places: list[Place] = [_root_place(branches[0], grammar)]
    # Parents come before their operands in prefix order.
    pending: list[tuple[int, list[int]]] = []
    for index, node in enumerate(tree):
        if index:
            parent, operands = pending[-1]
            operands.append(index)
            places.append(_operand_place(places[parent], branches, parent, index))
        if node.arity:
            pending.append((index, []))
        while pending and len(pending[-1][1]) == tree[pending[-1][0]].arity:
            pending.pop()
    return Anatomy(tree, branches, tuple(places))


def _branches(tree: Individual) -> tuple[Branch, ...]:
    found: list[Branch] = []
    pending: list[Branch] = []
    for node in reversed(tree):
        if node.arity:
            branch = Branch.call(node, [pending.pop() for _ in range(node.arity)])
        else:
            branch = Branch.leaf(node)
        pending.append(branch)
        found.append(branch)
    return tuple(reversed(found))


def _root_place(whole: Branch, grammar: Grammar) -> Place:
    return Place(
        grammar=grammar,
        accepted=Anything,
        size=grammar.max_size,
        depth=grammar.max_depth,
        above=(),
        calls=Counter(),
        parameters=(),
        needs_input=grammar.input_required,
        must_be_input=False,
    )


def _operand_place(above: Place, branches: Sequence[Branch], parent: int, index: int) -> Place:
    whole, own = branches[0], branches[index]
    return Place(
        grammar=above.grammar,
        accepted=own.root.ret,
        size=above.grammar.max_size - len(whole.nodes) + len(own.nodes),
        depth=above.depth - 1,
        above=(*above.above, branches[parent].root.name),
        calls=whole.calls - own.calls,
        parameters=_outside(branches, index),
        needs_input=_needs_input(branches, parent, index),
        must_be_input=_must_be_input(above, branches, parent, index),
    )


def _outside(branches: Sequence[Branch], index: int) -> tuple[Parameter, ...]:
    stop = index + len(branches[index].nodes)
    others = (*branches[:index], *branches[stop:])
    return tuple(dict.fromkeys(p for b in others if b.is_parameter for p in b.parameters))


def _siblings(branches: Sequence[Branch], parent: int, index: int) -> list[Branch]:
    found, start = [], parent + 1
    for _ in range(branches[parent].root.arity):
        if start != index and branches[start].root.ret is Anything:
            found.append(branches[start])
        start += len(branches[start].nodes)
    return found


def _needs_input(branches: Sequence[Branch], parent: int, index: int) -> bool:
    """Whether the call above depends on `x` through this operand alone."""
    siblings = _siblings(branches, parent, index)
    return branches[parent].uses_input and not any(b.uses_input for b in siblings)


def _must_be_input(above: Place, branches: Sequence[Branch], parent: int, index: int) -> bool:
    """Whether the rule that `x` is an operand of the root rests on this operand alone."""
    if parent or not above.grammar.input_at_root:
        return False
    return not any(b.is_input for b in _siblings(branches, parent, index))


def joined(name: str, operands: Sequence[Branch], grammar: Grammar) -> Branch | None:
    """A call over the operands, None if a rule forbids them below it, wherever it stands."""
    nesting = grammar.nesting
    node = call_node(name, grammar)
    branch = Branch.call(node, operands)
    only = nesting.only_of.get(name)
    if only is not None and not (operands[0].is_call and operands[0].root.name in only):
        return None
    below = {inner for operand in operands for inner in operand.calls}
    if any(name in nesting.not_inside.get(inner, ()) for inner in below):
        return None
    fits = all(o.root.ret is wanted for o, wanted in zip(operands, node.args, strict=True))
    return branch if fits and branch.uses_input else None


def leaf(value: Any, accepted: type = Anything) -> Branch:
    """A terminal as a branch."""
    return Branch.leaf(leaf_node(value, accepted))
