"""Which subtrees may stand where in a tree: the rules of a grammar, seen from one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from grammars import Constant, Grammar, Parameter, Variable
from search.strategies.trees import Anything, Individual, call_node, leaf_node

Nodes = tuple[Any, ...]
"""DEAP's nodes in prefix order."""


@dataclass(frozen=True)
class Branch:
    """A subtree, with what the rules ask about it.

    Attributes:
        nodes: Its nodes.
        depth: Edges to its deepest leaf.
        uses_input: Whether a value that it computes depends on `x`.
        takes_input: Whether `x` itself is an operand of its root.
    """

    nodes: Nodes
    depth: int
    uses_input: bool
    takes_input: bool = False

    @classmethod
    def leaf(cls, node: Any) -> Branch:
        """A terminal."""
        return cls((node,), 0, isinstance(node.value, Variable))

    @classmethod
    def call(cls, node: Any, operands: Sequence[Branch]) -> Branch:
        """A primitive over its operands."""
        free = [operand for operand in operands if operand.root.ret is Anything]
        return cls(
            (node, *(below for operand in operands for below in operand.nodes)),
            1 + max(operand.depth for operand in operands),
            any(operand.uses_input for operand in free),
            any(operand.is_input for operand in free),
        )

    @cached_property
    def calls(self) -> Counter[str]:
        """How often each primitive occurs."""
        return _calls(self.nodes)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its distinct trainable parameters, in order of appearance."""
        return _parameters(self.nodes)

    @property
    def root(self) -> Any:
        """The node at the top."""
        return self.nodes[0]

    @property
    def is_call(self) -> bool:
        """Whether a primitive is at the top."""
        return len(self.nodes) > 1

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
        accepted: Type of the operand.
        size: Nodes that fit.
        depth: Edges to the deepest leaf that fit.
        above: Primitives on the way from the root, the nearest one last.
        elsewhere: The nodes of the tree that are not in the subtree.
        needs_input: Whether a call above would not depend on `x` otherwise.
        must_be_input: Whether nothing but `x` itself keeps the rule for the root.
    """

    grammar: Grammar
    accepted: type
    size: int
    depth: int
    above: tuple[str, ...]
    elsewhere: Nodes
    needs_input: bool
    must_be_input: bool

    @cached_property
    def calls(self) -> Counter[str]:
        """How often each primitive occurs elsewhere in the tree."""
        return _calls(self.elsewhere)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Distinct trainable parameters elsewhere in the tree."""
        return _parameters(self.elsewhere)

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

    def has_room(self, operands: Sequence[Branch]) -> bool:
        """Whether a call over the operands is small enough; what `accepts` asks, but cheaper."""
        nodes = 1 + sum(len(operand.nodes) for operand in operands)
        return nodes <= self.size and 1 + max(o.depth for o in operands) <= self.depth

    def _parameters_fit(self, branch: Branch) -> bool:
        rule = self.grammar.parameters
        if rule is None:
            return not branch.parameters
        distinct = len(self.parameters) + len(branch.parameters)
        return not branch.parameters or distinct <= rule.max_count

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
        return enough_left and set(self.above).isdisjoint(nesting.not_inside.get(name, ()))


@dataclass(frozen=True)
class Anatomy:
    """A tree taken apart.

    Attributes:
        tree: What was taken apart.
        branches: The subtree at each node, in prefix order.
        grammar: Whose rules the tree keeps.
    """

    tree: Individual
    branches: tuple[Branch, ...]
    grammar: Grammar

    @property
    def free(self) -> list[int]:
        """Where any subtree may stand, the root included."""
        return [index for index, node in enumerate(self.tree) if node.ret is Anything]

    def operands(self, index: int) -> list[Branch]:
        """The subtrees directly below a node."""
        return [self.branches[start] for start in self._starts(index)]

    def place(self, index: int) -> Place:
        """What the subtree at a node could be replaced by."""
        whole, own, path = self.branches[0], self.branches[index], self._path(index)
        siblings = self._siblings(path[-1], index) if path else []
        # A call above, or the rule for the root, may rest on this operand alone.
        needed = self.branches[path[-1]].uses_input if path else self.grammar.input_required
        below_root = len(path) == 1 and self.grammar.input_at_root
        return Place(
            grammar=self.grammar,
            accepted=own.root.ret,
            size=self.grammar.max_size - len(whole.nodes) + len(own.nodes),
            depth=self.grammar.max_depth - len(path),
            above=tuple(self.tree[above].name for above in path),
            elsewhere=(*whole.nodes[:index], *whole.nodes[index + len(own.nodes) :]),
            needs_input=needed and not any(sibling.uses_input for sibling in siblings),
            must_be_input=below_root and not any(sibling.is_input for sibling in siblings),
        )

    def replaced(self, index: int, branch: Branch) -> Individual:
        """The tree with `branch` in place of the subtree at a node."""
        stop = index + len(self.branches[index].nodes)
        return Individual([*self.tree[:index], *branch.nodes, *self.tree[stop:]])

    def _starts(self, index: int) -> Iterator[int]:
        """The nodes directly below a node."""
        start, stop = index + 1, index + len(self.branches[index].nodes)
        while start < stop:
            yield start
            start += len(self.branches[start].nodes)

    def _path(self, index: int) -> list[int]:
        """The nodes above a node, the root first."""
        path, node = [], 0
        while node != index:
            path.append(node)
            # In prefix order a subtree ends where the next one starts.
            node = max(start for start in self._starts(node) if start <= index)
        return path

    def _siblings(self, parent: int, index: int) -> list[Branch]:
        """The free operands beside a node."""
        beside = [self.branches[start] for start in self._starts(parent) if start != index]
        return [branch for branch in beside if branch.root.ret is Anything]


def dissect(tree: Individual, grammar: Grammar) -> Anatomy:
    """Takes a tree apart, in time proportional to its size times its depth."""
    found: list[Branch] = []
    pending: list[Branch] = []
    for node in reversed(tree):
        if node.arity:
            branch = Branch.call(node, [pending.pop() for _ in range(node.arity)])
        else:
            branch = Branch.leaf(node)
        pending.append(branch)
        found.append(branch)
    return Anatomy(tree, tuple(reversed(found)), grammar)


def _calls(nodes: Nodes) -> Counter[str]:
    return Counter([node.name for node in nodes if node.arity])


def _parameters(nodes: Nodes) -> tuple[Parameter, ...]:
    values = [node.value for node in nodes if not node.arity]
    return tuple(dict.fromkeys(value for value in values if isinstance(value, Parameter)))


def joined(name: str, operands: Sequence[Branch], grammar: Grammar) -> Branch | None:
    """A call over the operands, None if a rule forbids them below it, wherever it stands."""
    nesting, node = grammar.nesting, call_node(name, grammar)
    only = nesting.only_of.get(name)
    if only is not None and not (operands[0].is_call and operands[0].root.name in only):
        return None
    below = {inner for operand in operands for inner in operand.calls}
    if any(name in nesting.not_inside.get(inner, ()) for inner in below):
        return None
    if not all(o.root.ret is wanted for o, wanted in zip(operands, node.args, strict=True)):
        return None
    branch = Branch.call(node, operands)
    return branch if branch.uses_input else None


def leaf(value: Any, accepted: type = Anything) -> Branch:
    """A terminal as a branch."""
    return Branch.leaf(leaf_node(value, accepted))
