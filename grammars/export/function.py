"""What is common to all exports of one function: its names, its parameters and its lowered form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from grammars.export.lowering import ExportError, check_size, fold, guard_branches, stabilise
from grammars.export.names import check_name, free_name, names_of
from grammars.export.provenance import Provenance, description
from grammars.export.recognition import WHOLE_FUNCTIONS, recognise
from grammars.export.tensors import TensorFormat
from grammars.expressions.expression import Expression, Scope, expanded
from grammars.numerics.derivative import derivative
from grammars.primitives import PRIMITIVES

DEFAULT_NAME: Final = "activation"


@dataclass(frozen=True)
class TrainedParameter:
    """A trainable parameter as a file writes it.

    Attributes:
        original: Its name in the expression.
        name: Its name in the file, where the original may be a keyword.
        value: The number it starts from in the file, or one number a channel.
        per: What owns a value of its own.
    """

    original: str
    name: str
    value: float | tuple[float, ...]
    per: Scope


@dataclass(frozen=True)
class Function:
    """An expression that is ready to be written for any target.

    Attributes:
        expression: As it was found.
        name: Of the exported function, an identifier.
        provenance: What the file tells about it.
        tensors: What formats take and give that fix it.
    """

    expression: Expression
    name: str = DEFAULT_NAME
    provenance: Provenance = field(default_factory=Provenance)
    tensors: TensorFormat = field(default_factory=TensorFormat)

    def __post_init__(self) -> None:
        # What a grammar has defined no other framework knows.
        object.__setattr__(self, "expression", expanded(self.expression))
        check_name(self.name)
        check_size(self.expression)
        own = [parameter.name for parameter in self.expression.parameters]
        if unknown := [name for name in self.provenance.parameters if name not in own]:
            raise ExportError(
                f"there are values for {', '.join(map(repr, unknown))}, which the expression does "
                f"not have; its trainable parameters: {', '.join(own) or 'none'}"
            )

    @property
    def class_name(self) -> str:
        """The name of a module class: `my_swish` becomes `MySwish`, `Swish` `SwishModule`."""
        name = "".join(word[0].upper() + word[1:] for word in self.name.split("_") if word)
        return f"{name}Module" if name == self.name else name

    @cached_property
    def parameters(self) -> tuple[TrainedParameter, ...]:
        """The trainable parameters with their values, under names that no file uses otherwise."""
        taken = {*names_of(self.name), self.class_name.lower()}
        result = []
        for parameter in self.expression.parameters:
            name = free_name(parameter.name, self.name, taken)
            taken.add(name.lower())
            value = self.provenance.value_of(parameter.name, parameter.start)
            result.append(TrainedParameter(parameter.name, name, value, parameter.per))
        return tuple(result)

    @property
    def channels(self) -> int | None:
        """How many channels the trained parameters are for; None where they serve any number.

        Raises:
            ExportError: If the parameters are for different numbers of channels.
        """
        widths = {len(p.value) for p in self.parameters if isinstance(p.value, tuple)}
        if len(widths) > 1:
            raise ExportError(
                f"the parameters are trained for {sorted(widths)} channels; "
                "they must all have one value, or all as many"
            )
        return widths.pop() if widths else None

    def names(self) -> dict[str, str]:
        """What the parameters are called in the text, by their names in the expression."""
        return {parameter.original: parameter.name for parameter in self.parameters}

    def lowered(self, known: Collection[str]) -> Expression:
        """For frameworks that differentiate in reverse: guarded, with the framework's functions.

        Args:
            known: Names of the whole functions that the framework has.
        """
        guarded = guard_branches(stabilise(self.expression))
        return fold(recognise(guarded, known))

    @cached_property
    def stable(self) -> Expression:
        """The expression with such parts as log(sigmoid(x)) in their stable form."""
        return recognise(
            stabilise(self.expression), [name for name in WHOLE_FUNCTIONS if name in PRIMITIVES]
        )

    @cached_property
    def value(self) -> Expression:
        """What to compute, for targets that do not differentiate."""
        return fold(self.stable)

    @cached_property
    def slope(self) -> Expression:
        """The derivative, for targets that do not differentiate."""
        return fold(derivative(self.stable))

    def heading(self, title: str) -> list[str]:
        """The lines that introduce a file."""
        return description(self.expression, self.provenance, title=title)
