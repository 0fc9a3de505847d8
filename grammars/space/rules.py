"""The parts of a grammar: where constants and parameters come from, and what may stand where."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextvars import ContextVar
from random import Random
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from grammars.expressions.expression import Constant, Parameter, Scope
from grammars.primitives import PRIMITIVES
from grammars.reading.hints import nearest
from grammars.space import defining, sampling

# The names that the grammar in the making defines, for the checks of its parts.
DEFINED: ContextVar[frozenset[str]] = ContextVar("defined", default=frozenset())


def _known_primitive(name: str) -> str:
    if name in PRIMITIVES or name in DEFINED.get():
        return name
    near = nearest(name, PRIMITIVES)
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(PRIMITIVES)}"
    raise ValueError(f"unknown primitive {name!r}; {hint}")


PrimitiveName = Annotated[str, AfterValidator(_known_primitive)]
Weight = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


def _without_table(value: Any) -> Any:
    """Says what is wrong with a table that `defining.split` left among the weights."""
    if not isinstance(value, Mapping):
        return value
    if unknown := [str(key) for key in value if key not in defining.TABLE_KEYS]:
        near = difflib.get_close_matches(unknown[0], defining.TABLE_KEYS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "known are is, weight"
        raise ValueError(f"unknown key {unknown[0]!r}; {hint}")
    raise ValueError(
        'expected a weight, a formula, or both as { is = "x / (1 + abs(x))", weight = 2.0 }, got '
        f"{value!r}"
    )


PrimitiveWeight = Annotated[Weight, BeforeValidator(_without_table)]
# Candidates are trained in single precision, which ends there.
Number = Annotated[float, Field(ge=-3e38, le=3e38)]


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConstantRange(Frozen):
    """Where ephemeral constants come from: a range, or a list of choices.

    Attributes:
        weight: How often a constant is drawn, relative to the other terminals.
        low: Smallest value of the range.
        high: Largest value of the range.
        decimals: Digits after the point, so that printed constants stay short.
        choices: The only values allowed; then the range is not used.
    """

    weight: Weight = 1.0
    low: Number = -3.0
    high: Number = 3.0
    decimals: int = Field(default=2, ge=0, le=12)
    choices: tuple[Number, ...] = ()

    @model_validator(mode="after")
    def _holds_a_value(self) -> ConstantRange:
        if not self.low < self.high:
            raise ValueError(f"low must be below high; got low {self.low} and high {self.high}")
        return self

    def allows(self, value: float) -> bool:
        """Whether a constant may have this value; tuned constants may have more decimals."""
        return value in self.choices if self.choices else self.low <= value <= self.high

    def draw(self, random: Random) -> Constant:
        """Draws a constant, uniformly."""
        if self.choices:
            return Constant(random.choice(self.choices))
        value = round(random.uniform(self.low, self.high), self.decimals)
        # Adding zero turns a rounded -0.0 into 0.0.
        return Constant(min(max(value, self.low), self.high) + 0.0)


class ParameterRule(Frozen):
    """Trainable parameters: where they appear, where they start, and what owns one.

    Attributes:
        weight: How often a parameter is drawn as a terminal, relative to the other terminals.
        on_edges: Probability that an operand is multiplied by a fresh parameter.
        start: Value before training, or the range that it is drawn from.
        per: The scopes to draw from.
        max_count: Most distinct parameters in one expression.
    """

    weight: float = Field(default=1.0, ge=0, le=1e6)
    on_edges: float = Field(default=0.0, ge=0, le=1)
    start: Number | tuple[Number, Number] = 1.0
    per: tuple[Scope, ...] = Field(default=("channel",), min_length=1)
    max_count: int = Field(default=3, ge=1, le=len(sampling.PARAMETER_NAMES))

    @model_validator(mode="after")
    def _starts_somewhere(self) -> ParameterRule:
        if isinstance(self.start, tuple) and not self.start[0] < self.start[1]:
            raise ValueError(f"a start range goes from low to high; got {list(self.start)}")
        return self

    def draw(self, random: Random, *, name: str) -> Parameter:
        """Draws a parameter called `name`."""
        start = self.start
        if isinstance(start, tuple):
            start = round(random.uniform(*start), 2) + 0.0
        return Parameter(name, start, random.choice(self.per))


class Nesting(Frozen):
    """What may stand where.

    Attributes:
        not_inside: For a primitive, those that must not be anywhere above it.
        at_most: For a primitive, how often it may occur in one expression.
        only_of: For a primitive of one argument, those that its argument must be a call of.
    """

    not_inside: Mapping[PrimitiveName, tuple[PrimitiveName, ...]] = {}
    at_most: Mapping[PrimitiveName, Annotated[int, Field(ge=1)]] = {}
    only_of: Mapping[PrimitiveName, tuple[PrimitiveName, ...]] = {}
