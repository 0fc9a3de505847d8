"""Random expressions that keep every rule of a grammar by construction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from grammars.expressions.expression import Call, Constant, Expression, X

if TYPE_CHECKING:
    from grammars.space.grammar import Grammar

PARAMETER_NAMES: Final = ("a", "b", "c", "d", "f", "g", "h", "k")

# In "grow", how often a branch ends although it could go on.
_STOP_PROBABILITY: Final = 0.3

# Nodes and levels that no limit allows.
_ENDLESS: Final = (10**6, 10**6)


@dataclass(frozen=True)
class _Room:
    """What is left for a subtree.

    Attributes:
        size: Nodes it may have.
        depth: Edges to its deepest leaf that it may have.
        least_depth: Depth below which a branch does not end of its own accord.
        above: Primitives on the way from the root.
        allowed: The only primitives for its root, if it must be a call of one of them.
    """

    size: int
    depth: int
    least_depth: int = 0
    above: frozenset[str] = frozenset()
    allowed: tuple[str, ...] | None = None

    def below(self, primitive: str, *, size: int, allowed: tuple[str, ...] | None) -> _Room:
        """The room of an operand of `primitive`."""
        return replace(
            self,
            size=size,
            depth=self.depth - 1,
            least_depth=self.least_depth - 1,
            above=self.above | {primitive},
            allowed=allowed,
        )


@dataclass
class _Draw:
    """One expression in the making: the tallies that span all of its branches."""

    grammar: Grammar
    random: Random
    calls: Counter[str] = field(default_factory=Counter)
    parameters: int = 0

    @cached_property
    def least(self) -> Mapping[str, tuple[int, int]]:
        """The fewest nodes and levels of a call of each primitive."""
        return _least_calls(self.grammar)

    def tree(self, room: _Room, *, goes_on: bool = False) -> Expression:
        """Draws a subtree that depends on `x`; one that goes on is a call if it can be."""
        if self._parameter_fits(room):
            return self._scaled(room)
        names = self._candidates(room)
        if not names:
            return X
        must_be_call = goes_on or room.allowed is not None
        if not must_be_call and room.least_depth <= 0 and self._stops():
            return X
        weights = [self.grammar.primitives[name] for name in names]
        return self.call(self.random.choices(names, weights)[0], room)

    def call(self, name: str, room: _Room, *, bare_input: bool = False) -> Call:
        """Draws the operands of a primitive; with `bare_input` one of them is `x` itself."""
        grammar = self.grammar
        self.calls[name] += 1
        slots = grammar.slots(name)
        only = grammar.nesting.only_of.get(name)
        free = [index for index, slot in enumerate(slots) if slot == "any"]
        carrier = self.random.choice(free)
        left = room.size - 1 - (len(slots) - len(free))
        least = 1 if only is None else min(self.least[n][0] for n in only if n in self.least)
        shares = self._shares(left, [least] * len(free))
        operands: list[Expression] = []
        for index, slot in enumerate(slots):
            if slot == "input":
                operands.append(X)
            elif slot == "constant":
                operands.append(grammar.sample_constant(self.random))
            elif index == carrier and bare_input:
                shares.pop(0)
                operands.append(X)
            else:
                below = room.below(name, size=shares.pop(0), allowed=only)
                operands.append(self.tree(below) if index == carrier else self._free(below))
        return grammar.call(name, tuple(_ordered_bounds(name, operands)))

    def _free(self, room: _Room) -> Expression:
        """Draws a subtree that may also be a constant or a parameter."""
        ends = room.depth <= 0 or room.size <= 1 or not self._candidates(room)
        if ends or (room.least_depth <= 0 and self._stops()):
            return self._terminal()
        return self.tree(room, goes_on=True)

    def _stops(self) -> bool:
        return self.random.random() < _STOP_PROBABILITY

    def _terminal(self) -> Expression:
        rule = self.grammar.parameters
        spent = rule is None or self.parameters >= rule.max_count
        name = None if spent else PARAMETER_NAMES[self.parameters]
        drawn = terminal(self.grammar, self.random, parameter_name=name)
        self.parameters += len(drawn.parameters)
        return drawn

    def _parameter_fits(self, room: _Room) -> bool:
        rule = self.grammar.parameters
        return (
            rule is not None
            and rule.on_edges > 0
            and "mul" in self.grammar.primitives
            and room.allowed is None
            and room.size >= 3
            and room.depth >= 1
            and self.parameters < rule.max_count
            and self._may_call("mul", room)
            and self.random.random() < rule.on_edges
        )

    def _scaled(self, room: _Room) -> Call:
        """A trainable weight on the edge to a subtree."""
        rule = self.grammar.parameters
        assert rule is not None
        weight = rule.draw(self.random, name=PARAMETER_NAMES[self.parameters])
        self.parameters += 1
        self.calls["mul"] += 1
        return Call("mul", (weight, self.tree(room.below("mul", size=room.size - 2, allowed=None))))

    def _candidates(self, room: _Room) -> list[str]:
        names = self.grammar.primitives if room.allowed is None else room.allowed
        return [name for name in names if self._may_call(name, room)]

    def _may_call(self, name: str, room: _Room) -> bool:
        nesting = self.grammar.nesting
        size, depth = self.least.get(name, _ENDLESS)
        return (
            size <= room.size
            and depth <= room.depth
            and self.calls[name] < nesting.at_most.get(name, self.calls[name] + 1)
            and not room.above.intersection(nesting.not_inside.get(name, ()))
            and self._argument_possible(name, room)
        )

    def _argument_possible(self, name: str, room: _Room) -> bool:
        only = self.grammar.nesting.only_of.get(name)
        if only is None:
            return True
        below = room.below(name, size=room.size - 1, allowed=only)
        return bool(self._candidates(below))

    def _shares(self, size: int, least: list[int]) -> list[int]:
        """Splits `size` nodes among operands at random, each getting its least."""
        spare = size - sum(least)
        cuts = sorted(self.random.randint(0, spare) for _ in least[1:])
        edges = [0, *cuts, spare]
        return [least[i] + edges[i + 1] - edges[i] for i in range(len(least))]


def sample(
    grammar: Grammar, random: Random, *, depth: tuple[int, int], method: Literal["grow", "full"]
) -> Expression:
    """Draws an expression; `Grammar.sample` documents the arguments."""
    low, high = depth
    if not 0 <= low <= high:
        raise ValueError(f"expected depths 0 <= low <= high, got ({low}, {high})")
    deepest = min(random.randint(low, high), grammar.max_depth)
    least = deepest if method == "full" else low
    draw = _Draw(grammar, random)
    room = _Room(size=grammar.max_size, depth=deepest, least_depth=least)
    if grammar.root is None and not grammar.input_at_root:
        return draw.tree(room) if grammar.input_required or deepest > 0 else draw._terminal()
    roots = possible_roots(grammar)
    shallowest = min(draw.least[name][1] for name in roots)
    room = replace(room, depth=max(deepest, shallowest))
    roots = [name for name in roots if draw._may_call(name, room)]
    name = random.choices(roots, [grammar.primitives[name] for name in roots])[0]
    return draw.call(name, room, bare_input=grammar.input_at_root)


def terminal(grammar: Grammar, random: Random, *, parameter_name: str | None) -> Expression:
    """Draws a terminal by weight; a parameter only if there is a name for it."""
    kinds, weights = ["input"], [grammar.input_weight]
    if grammar.constants is not None:
        kinds.append("constant")
        weights.append(grammar.constants.weight)
    if grammar.parameters is not None and parameter_name is not None:
        kinds.append("parameter")
        weights.append(grammar.parameters.weight)
    kind = random.choices(kinds, weights)[0]
    if kind == "constant":
        return grammar.sample_constant(random)
    if kind == "parameter" and grammar.parameters is not None and parameter_name is not None:
        return grammar.parameters.draw(random, name=parameter_name)
    return X


def possible_roots(grammar: Grammar) -> list[str]:
    """The primitives that the rules for a root, the limits and the nesting leave."""
    draw = _Draw(grammar, Random(0))
    room = _Room(size=grammar.max_size, depth=grammar.max_depth)
    names = grammar.primitives if grammar.root is None else [grammar.root]
    if grammar.input_at_root:
        # A primitive whose argument must be a call cannot take x itself.
        names = [
            name
            for name in names
            if grammar.slots(name).count("any") > 1 and name not in grammar.nesting.only_of
        ]
    return [name for name in names if draw._may_call(name, room)]


def _least_calls(grammar: Grammar) -> Mapping[str, tuple[int, int]]:
    """Beyond all limits where a primitive's rules run in a circle."""
    bound = {n: only for n, only in grammar.nesting.only_of.items() if n in grammar.primitives}
    least = {
        name: _ENDLESS if name in bound else (1 + len(grammar.slots(name)), 1)
        for name in grammar.primitives
    }
    for _ in bound:  # at most so many of them stand one above another
        for name, only in bound.items():
            sizes, depths = zip(_ENDLESS, *(least[o] for o in only if o in least), strict=True)
            least[name] = 1 + min(sizes), 1 + min(depths)
    return least


def _ordered_bounds(name: str, operands: list[Expression]) -> list[Expression]:
    """Puts the bounds of a clip in order."""
    if name != "clip":
        return operands
    bounds = sorted(o.value for o in operands[1:] if isinstance(o, Constant))
    return [operands[0], *map(Constant, bounds)]
