"""Whether functions that were found apart from each other are relatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evaluators.probing.likeness import apart
from grammars import Activation, Expression, activation_id, functions_of, same_function
from grammars.algebra.skeleton import skeleton
from grammars.analysis.relatives import is_scaled


class Relation(StrEnum):
    """What two functions have in common; the first that holds counts."""

    SAME = "the same function"
    FORM = "one form, other constants"
    SCALED = "one function, scaled and shifted"
    SHAPE = "alike in shape"
    NONE = "unlike"


@dataclass(frozen=True)
class Kinship:
    """What two functions are to each other.

    Attributes:
        first: Who found the one.
        second: Who found the other.
        relation: What they have in common. Shapes are alike that are closer to each other than
            those of GELU and Swish.
        distance: Of their shapes, 1 for GELU and Swish; see `evaluators.probing.likeness`. None for
            functions of different numbers of layers.
    """

    first: str
    second: str
    relation: Relation
    distance: float | None

    @property
    def is_close(self) -> bool:
        """Whether they are relatives."""
        return self.relation is not Relation.NONE


def kinship(first: str, one: Activation, second: str, other: Activation) -> Kinship:
    """Compares two functions.

    Args:
        first: Who found the one.
        one: Which was found.
        second: Who found the other.
        other: Which was found.
    """
    here, there = functions_of(one), functions_of(other)
    if len(here) != len(there):
        return Kinship(first, second, Relation.NONE, None)
    distance = apart(here, there)
    if activation_id(one) == activation_id(other) or all(map(_are_equal, here, there)):
        relation = Relation.SAME
    elif list(map(skeleton, here)) == list(map(skeleton, there)):
        relation = Relation.FORM
    elif all(map(is_scaled, here, there)):
        relation = Relation.SCALED
    else:
        relation = Relation.SHAPE if distance < 1.0 else Relation.NONE
    return Kinship(first, second, relation, distance)


def families(names: Sequence[str], kinships: Iterable[Kinship]) -> tuple[tuple[str, ...], ...]:
    """Who is connected through relatives, the largest family first; loners are families of one.

    Args:
        names: Of all, in the order in which they are to be named.
        kinships: Between them.
    """
    family = {name: {name} for name in names}
    for each in kinships:
        if each.is_close and family[each.first] is not family[each.second]:
            joined = family[each.first] | family[each.second]
            family.update(dict.fromkeys(joined, joined))
    distinct = {id(members): members for members in family.values()}
    ordered = [tuple(name for name in names if name in each) for each in distinct.values()]
    return tuple(sorted(ordered, key=lambda members: -len(members)))


def _are_equal(one: Expression, other: Expression) -> bool:
    # With trainable parameters only the form says whether they are trained alike.
    return not one.parameters and not other.parameters and same_function(one, other)
