"""Which primitives, terminals and limits a search may use: one frozen model, checked on arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, Literal

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from grammars.expressions.expression import (
    Call,
    Constant,
    Expression,
    Parameter,
    Variable,
)
from grammars.expressions.parameters import conflicting_parameters
from grammars.parsing.descent import MAX_EXPANDED_DEPTH
from grammars.parsing.parser import MAX_DEPTH, MAX_SIZE
from grammars.primitives import PRIMITIVES, Slot
from grammars.space import defining, sampling
from grammars.space.rules import (
    DEFINED,
    ConstantRange,
    Frozen,
    Nesting,
    ParameterRule,
    PrimitiveName,
    PrimitiveWeight,
    Weight,
)


class Grammar(Frozen):
    """What a search may write.

    Attributes:
        name: Under which it is known.
        description: What it is for, in a sentence or two.
        source: The paper that it follows, or empty.
        primitives: Weight by name, relative to one another. In a file a primitive may also be
            defined here, from others: by its formula alone, of weight 1, or by a table of `is` and
            `weight`.
        definitions: The formulas of those that are defined, by name.
        input_weight: How often a free terminal is `x`, relative to the other terminals.
        constants: Where constants come from; none are written without it.
        parameters: Where trainable parameters come from; none are written without it.
        max_size: Most nodes.
        max_depth: Most edges from the root to a leaf.
        nesting: What may stand where.
        input_required: Whether `x` must occur.
        input_at_root: Whether `x` itself must be an operand of the root, as in `x * sigmoid(x)`.
        root: The primitive that every expression starts with, if only one is allowed.
    """

    name: str = Field(pattern=r"^[A-Za-z][\w-]{0,39}$")
    description: str
    source: str = ""
    primitives: Mapping[PrimitiveName, PrimitiveWeight] = Field(min_length=1)
    definitions: Mapping[str, str] = {}
    input_weight: Weight = 4.0
    constants: ConstantRange | None = None
    parameters: ParameterRule | None = None
    max_size: int = Field(default=20, ge=1, le=1000)
    max_depth: int = Field(default=8, ge=0, le=MAX_DEPTH)
    nesting: Nesting = Nesting()
    input_required: bool = True
    input_at_root: bool = False
    root: PrimitiveName | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _with_definitions(cls, data: Any, handler: ModelWrapValidatorHandler[Grammar]) -> Grammar:
        """Tells the checks of names which ones the grammar defines itself."""
        is_document = isinstance(data, Mapping)
        token = DEFINED.set(defining.names(data) if is_document else frozenset())
        try:
            return handler(defining.split(data) if is_document else data)
        finally:
            DEFINED.reset(token)

    @model_serializer(mode="wrap")
    def _without_idle_definitions(self, handler: SerializerFunctionWrapHandler) -> Any:
        """Leaves out what a grammar without definitions does not say."""
        document = handler(self)
        if not self.definitions:
            document.pop("definitions", None)
        return document

    @field_validator("definitions", mode="before")
    @classmethod
    def _is_table(cls, definitions: Any) -> Any:
        if not isinstance(definitions, Mapping):
            raise ValueError(
                'expected a table of formulas by name, such as gate = "x * sigmoid(2 * x)", got '
                f"{definitions!r}; a formula may also stand among the primitives"
            )
        return definitions

    @field_validator("definitions")
    @classmethod
    def _can_be_read(cls, definitions: Mapping[str, str]) -> Mapping[str, str]:
        defining.read(definitions)
        return definitions

    @model_validator(mode="after")
    def _can_be_written(self) -> Grammar:
        problems = list(self._contradictions())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _contradictions(self) -> Iterable[str]:
        if self.root is not None and self.root not in self.primitives:
            yield f"root {self.root!r} is not among the primitives"
        for name in self.primitives:
            if "constant" in self.slots(name) and self.constants is None:
                yield f"{name!r} takes constants, and the grammar has none"
        for name in self.definitions:
            if name not in self.primitives:
                yield f"definitions.{name}: it has no weight among the primitives"
        if self.definitions and (words := self._growth_violation()) is not None:
            yield words
        for name, allowed in self.nesting.only_of.items():
            if name in self.primitives and not set(allowed) & set(self.primitives):
                yield f"nesting.only_of.{name} names no primitive of this grammar"
            if name in PRIMITIVES and PRIMITIVES[name].arity != 1:
                yield f"nesting.only_of.{name}: only a primitive of one argument can be bound so"
        if self._needs_a_call and not sampling.possible_roots(self):
            yield "no primitive can stand at the root within max_size, max_depth and nesting"

    @property
    def _needs_a_call(self) -> bool:
        return self.root is not None or self.input_at_root

    def slots(self, primitive: str) -> tuple[Slot, ...]:
        """What each operand of a primitive may be: any, constant or input.

        A power of anything but a constant is undefined on half of the line, and a bound that moves
        is no bound, so that their rows ask for constants.
        """
        return ("any",) if primitive in self.definitions else PRIMITIVES[primitive].slots

    @property
    def defined(self) -> Mapping[str, Expression]:
        """What the grammar defines, by name."""
        return defining.read(self.definitions)

    def call(self, primitive: str, operands: tuple[Expression, ...]) -> Call:
        """A call of a primitive, with what the grammar defines it as."""
        return Call(primitive, operands, self.defined.get(primitive))

    def _growth_violation(self) -> str | None:
        """What is wrong if an expression within the limits could become too large."""
        most = self.nesting.at_most
        deepest = min(
            self.max_depth,
            self.max_size - 1,
            sum(most.get(name, self.max_depth) for name in self.definitions),
        )
        if (size := defining.largest(self.defined, self.max_size, deepest)) > MAX_SIZE:
            return (
                f"definitions: one inside another may grow to {size:,} nodes, more than "
                f"{MAX_SIZE:,}; bound them by max_depth or nesting.at_most"
            )
        deep = max(definition.depth for definition in self.defined.values())
        if (depth := self.max_depth + deepest * (deep - 1)) > MAX_EXPANDED_DEPTH:
            return (
                f"definitions: one inside another may become {depth} deep, more than "
                f"{MAX_EXPANDED_DEPTH}; bound them by max_depth or nesting.at_most"
            )
        return None

    def violation(self, expression: Expression) -> str | None:
        """The first rule that an expression breaks, in words; None if the grammar can write it."""
        checks = (
            self._limit_violation,
            self._root_violation,
            self._terminal_violation,
            self._count_violation,
            self._nesting_violation,
        )
        return next((words for check in checks if (words := check(expression))), None)

    def _limit_violation(self, expression: Expression) -> str | None:
        if (size := expression.size) > self.max_size:
            return f"the size is {size} nodes; at most {self.max_size} are allowed"
        if (depth := expression.depth) > self.max_depth:
            return f"the depth is {depth}; at most {self.max_depth} is allowed"
        return None

    def _root_violation(self, expression: Expression) -> str | None:
        name = expression.primitive if isinstance(expression, Call) else None
        if self.root is not None and name != self.root:
            return f"the root must be {self.root!r}, not {name or str(expression)!r}"
        if self.input_required and not expression.uses_input:
            return "x does not occur"
        if self.input_at_root:
            slots = self.slots(name) if name else ()
            pairs = zip(slots, expression.arguments, strict=False)
            if not any(slot == "any" and isinstance(o, Variable) for slot, o in pairs):
                return "x must be an operand of the root"
        return None

    def _terminal_violation(self, expression: Expression) -> str | None:
        for node in expression.walk():
            match node:
                case Constant(value) if self.constants is None or not self.constants.allows(value):
                    return f"the constant {node} is not allowed"
                case Parameter(name, _, per) if not self.parameters or per not in (
                    self.parameters.per
                ):
                    return f"the parameter {name!r} per {per} is not allowed"
        if self.parameters and (count := len(expression.parameters)) > self.parameters.max_count:
            return f"{count} parameters; at most {self.parameters.max_count} are allowed"
        if clashes := conflicting_parameters(expression):
            return f"the parameter {clashes[0]!r} is given two starts or scopes"
        return None

    def _count_violation(self, expression: Expression) -> str | None:
        calls = [node for node in expression.walk() if isinstance(node, Call)]
        counts = Counter(node.primitive for node in calls)
        defined = {node.primitive: node.definition for node in calls}
        for name, count in counts.items():
            if name not in self.primitives:
                return f"the primitive {name!r} is not in the grammar"
            if defined[name] != self.defined.get(name):
                return f"{name!r} is {defined[name]}, which is not what the grammar defines"
            if count > (most := self.nesting.at_most.get(name, count)):
                return f"{name!r} occurs {count} times; at most {most} are allowed"
        return None

    def _nesting_violation(self, expression: Expression) -> str | None:
        pending: list[tuple[Expression, frozenset[str]]] = [(expression, frozenset())]
        while pending:
            node, above = pending.pop()
            if not isinstance(node, Call):
                continue
            for outer in self.nesting.not_inside.get(node.primitive, ()):
                if outer in above:
                    return f"{node.primitive!r} must not be inside {outer!r}"
            if words := self._slot_violation(node):
                return words
            below = above | {node.primitive}
            pending.extend((operand, below) for operand in node.operands)
        return None

    def _slot_violation(self, node: Call) -> str | None:
        for slot, operand in zip(self.slots(node.primitive), node.operands, strict=True):
            if slot == "constant" and not isinstance(operand, Constant):
                return f"{node.primitive!r} takes a constant where it has {str(operand)!r}"
            if slot == "input" and not isinstance(operand, Variable):
                return f"{node.primitive!r} compares x with 0, not {str(operand)!r}"
        if (allowed := self.nesting.only_of.get(node.primitive)) is None:
            return None
        operand = node.operands[0]
        if isinstance(operand, Call) and operand.primitive in allowed:
            return None
        return f"{node.primitive!r} must be of {' or '.join(allowed)}, not of {str(operand)!r}"

    def sample(
        self, random: Random, *, depth: tuple[int, int], method: Literal["grow", "full"] = "grow"
    ) -> Expression:
        """Draws an expression within all limits.

        Args:
            random: Decides everything; equal states give equal expressions.
            depth: Least and greatest depth to aim at. Limits come first: the result may be
                shallower where a limit allows no more.
            method: "full" puts every leaf as deep as it may be, "grow" stops at random once the
                least depth is reached (Koza, Genetic Programming, 1992).

        Returns:
            An expression for which `violation` is None, every call of which depends on `x`.
        """
        return sampling.sample(self, random, depth=depth, method=method)

    def sample_constant(self, random: Random) -> Constant:
        """Draws a constant; ValueError if the grammar has none."""
        if self.constants is None:
            raise ValueError(f"the grammar {self.name!r} has no constants")
        return self.constants.draw(random)

    def terminal(self, random: Random) -> Expression:
        """Draws `x`, a constant or a trainable parameter by weight."""
        return sampling.terminal(self, random, parameter_name=sampling.PARAMETER_NAMES[0])
