"""What a network takes as its activation: one function, or functions assigned to its layers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from grammars.algebra.canonical import canonical
from grammars.expressions.expression import Expression, definitions_in, text_of
from grammars.parsing.parser import parse_list

_ENDS: Final = ("first", "last")
_PARTS: Final = ("first", "middle", "last")


class LayersError(ValueError):
    """Functions that cannot be assigned to the hidden layers of a network."""


@dataclass(frozen=True, slots=True, repr=False)
class Layered:
    """Functions for the hidden layers of a network, printed as `[relu(x), tanh(x)]`.

    Two stand for the two hidden layers of a network, three for the first, all in the middle and
    the last, and any number for as many layers. See `by_layer`.

    Attributes:
        functions: From the inputs to the logits, at least two.
    """

    functions: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if len(self.functions) < 2:
            raise ValueError(
                f"at least two functions are assigned to layers, got {len(self.functions)}; one "
                "function for all layers is an expression"
            )

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What the layers of each function are called."""
        return layer_names(len(self.functions))

    @property
    def by_layer_name(self) -> dict[str, Expression]:
        """The functions under the names of their layers, in order."""
        return dict(zip(self.layer_names, self.functions, strict=True))

    @property
    def size(self) -> int:
        """Number of nodes of all functions together."""
        return sum(function.size for function in self.functions)

    @property
    def depth(self) -> int:
        """Of the deepest function."""
        return max(function.depth for function in self.functions)

    def at(self, layer: str) -> Expression:
        """The function of a layer, by its name or by its number, counted from 1.

        Raises:
            LayersError: If there is no such layer.
        """
        numbers = map(str, range(1, len(self.functions) + 1))
        known = self.by_layer_name | dict(zip(numbers, self.functions, strict=True))
        if layer not in known:
            raise LayersError(f"{self} has no layer {layer!r}; choose one of {', '.join(known)}")
        return known[layer]

    def __repr__(self) -> str:
        return f"parse_activation({str(self)!r})"

    def __str__(self) -> str:
        inside = ", ".join(map(text_of, self.functions))
        return "; ".join([f"[{inside}]", *definitions_in(*self.functions)])


Activation: TypeAlias = Expression | Layered
"""One function for all hidden layers of a network, or functions for its layers."""


def layer_names(count: int) -> tuple[str, ...]:
    """Names of the layers of so many functions, from the inputs to the logits."""
    if count == len(_ENDS):
        return _ENDS
    return _PARTS if count == len(_PARTS) else tuple(str(number + 1) for number in range(count))


def assign(functions: Sequence[Expression]) -> Activation:
    """Functions for the layers of a network; where all are written alike, that one for all."""
    # Compared as text: 0 and -0 are equal as numbers and not as functions.
    alike = len(set(map(str, functions))) == 1
    return functions[0] if alike else Layered(tuple(functions))


def parse_activation(text: str, *, defined: Mapping[str, Expression] | None = None) -> Activation:
    """Reads an expression, or a list of them in brackets, such as `[relu(x), x * sigmoid(x)]`.

    Args:
        text: The expressions.
        defined: What a grammar defines, by name.

    Raises:
        ParseError: See `parse`.
    """
    return assign(parse_list(text, defined=defined))


def functions_of(activation: Activation) -> tuple[Expression, ...]:
    """The functions that an activation consists of."""
    return activation.functions if isinstance(activation, Layered) else (activation,)


def by_layer(activation: Activation, layers: int) -> tuple[Expression, ...]:
    """The function of each hidden layer.

    Args:
        activation: One function for all layers, as many as there are layers, or three: for the
            first, all in the middle and the last.
        layers: Hidden layers of the network.

    Raises:
        LayersError: If the number of functions fits none of these.
    """
    functions = functions_of(activation)
    if len(functions) == 1:
        return functions * layers
    if len(functions) == layers:
        return functions
    if len(functions) == len(_PARTS) and layers > len(_PARTS):
        first, middle, last = functions
        return first, *(middle,) * (layers - 2), last
    three = f", 3 (first, middle, last) or {layers}" if layers > len(_PARTS) else f" or {layers}"
    raise LayersError(
        f"{activation} has {len(functions)} functions, and the network {layers} hidden layers; it "
        f"takes 1{three}"
    )


def canonical_form(activation: Activation) -> Activation:
    """The canonical form of each function; where all are equal, of one function for all layers."""
    return assign([canonical(function) for function in functions_of(activation)])


def activation_id(activation: Activation) -> str:
    """`expression_id` for every activation: from the text of the canonical form."""
    return hashlib.sha256(str(canonical_form(activation)).encode()).hexdigest()[:12]
