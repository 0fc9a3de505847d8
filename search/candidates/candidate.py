"""What is under consideration: an activation with its place in the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal

from grammars import Activation, activation_id, canonical_form, parse_activation, readable

Origin = Literal["discovered", "baseline"]

GIVEN: Final = "seed"
"""Variation of a function that was not made but given to start from."""


@dataclass(frozen=True)
class Candidate:
    """An expression, or several for the layers of a network, with its lineage.

    Attributes:
        id: The expression id, equal for equal canonical forms.
        text: The expression as the strategy wrote it; parsed when somebody asks for it, since of
            the thousands that a journal holds only a few are looked at.
        origin: Whether the search made it, or it is in the catalogue and was given.
        generation: In which it was first considered, counted from 0; baselines belong to 0.
        parents: Ids of the candidates that it was made from, empty for a random one.
        variation: What made it, such as "crossover" or "random"; a baseline's catalogue name.
        recorded: Text of the canonical form, where a journal holds it: reading it takes half as
            long as working it out again.
    """

    id: str
    text: str
    origin: Origin
    generation: int
    parents: tuple[str, ...] = ()
    variation: str = "random"
    recorded: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        expression: Activation,
        *,
        generation: int,
        origin: Origin = "discovered",
        parents: tuple[str, ...] = (),
        variation: str = "random",
    ) -> Candidate:
        """A candidate under the id of its expression."""
        identity = activation_id(expression)
        candidate = cls(identity, str(expression), origin, generation, parents, variation)
        candidate.__dict__["expression"] = expression  # where the property would keep it
        return candidate

    @cached_property
    def expression(self) -> Activation:
        """What the text says."""
        return parse_activation(self.text)

    @property
    def is_given(self) -> bool:
        """Whether the campaign file names it, to start from."""
        return self.variation == GIVEN

    @cached_property
    def canonical(self) -> Activation:
        """The canonical form of the expression."""
        if self.recorded is not None:
            return parse_activation(self.recorded)
        return canonical_form(self.expression)

    @property
    def readable(self) -> str:
        """The text that people see wherever the function is named."""
        return readable(self.expression)

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal record."""
        form = self.canonical
        return {
            "id": self.id,
            "expression": self.text,
            "canonical": str(form),
            "size": form.size,
            "depth": form.depth,
            "origin": self.origin,
            "generation": self.generation,
            "parents": list(self.parents),
            "variation": self.variation,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Candidate:
        """Restores a candidate from what `to_json` wrote."""
        return cls(
            id=document["id"],
            text=document["expression"],
            origin=document["origin"],
            generation=document["generation"],
            parents=tuple(document["parents"]),
            variation=document["variation"],
            recorded=document["canonical"],
        )
