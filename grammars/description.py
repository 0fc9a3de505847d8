"""Everything that can be said of one function: its forms, its kin, its nature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy

from grammars.canonical import canonical, expression_id
from grammars.catalogue import CATALOGUE
from grammars.compilation import start_values, with_partials
from grammars.derivative import derivative
from grammars.expression import Expression, Parameter
from grammars.properties import Property, properties
from grammars.relatives import Relative, known_as, nearest, relatives
from grammars.symbolic import CHECK_POINTS, TIME_LIMIT_SECONDS, Symbolic, analyse


@dataclass(frozen=True)
class Description:
    """What `actsearch describe` says.

    Attributes:
        expression: As it was written.
        canonical: The form that equals share.
        id: Of the canonical form.
        size: Nodes, as written.
        depth: Edges to the deepest leaf, as written.
        latex: The function.
        derivative: By SymPy, simplified, if that agrees with automatic differentiation; by the
            rules of the language if not.
        derivative_latex: The same, or None if SymPy has no say.
        parameters: The trainable ones.
        known_as: Names in the catalogue.
        relatives: Published functions that scaling and shifting turn into this one.
        nearest: The published function of the most similar shape.
        properties: By name.
    """

    expression: str
    canonical: str
    id: str
    size: int
    depth: int
    latex: str
    derivative: str
    derivative_latex: str | None
    parameters: tuple[Parameter, ...]
    known_as: tuple[str, ...]
    relatives: tuple[Relative, ...]
    nearest: str | None
    properties: Mapping[str, Property]

    def to_json(self) -> dict[str, Any]:
        """Plain values with the attributes' names as keys."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__}
        document["parameters"] = [asdict(parameter) for parameter in self.parameters]
        document["known_as"] = [
            {"name": name, "aliases": CATALOGUE[name].aliases, "source": CATALOGUE[name].source}
            for name in self.known_as
        ]
        document["relatives"] = [asdict(r) | {"formula": r.formula} for r in self.relatives]
        document["properties"] = {name: asdict(p) for name, p in self.properties.items()}
        return document


def describe(expression: Expression, *, timeout_seconds: float = TIME_LIMIT_SECONDS) -> Description:
    """Describes a function.

    Args:
        expression: Which.
        timeout_seconds: What SymPy may take, in a process of its own.

    Returns:
        Its description; parameters are held at their start values where numbers are asked for.
    """
    form = canonical(expression)
    symbolic = analyse(expression, timeout_seconds=timeout_seconds)
    checked = symbolic if symbolic and _is_confirmed(expression, symbolic) else None
    names = known_as(expression)
    return Description(
        expression=str(expression),
        canonical=str(form),
        id=expression_id(expression),
        size=expression.size,
        depth=expression.depth,
        latex=symbolic.latex if symbolic else rf"\mathtt{{{expression}}}".replace("_", r"\_"),
        derivative=checked.derivative if checked else str(canonical(derivative(expression))),
        derivative_latex=checked.derivative_latex if checked else None,
        parameters=expression.parameters,
        known_as=names,
        relatives=tuple(r for r in relatives(expression) if r.name not in names),
        nearest=nearest(expression),
        properties=properties(expression),
    )


def _is_confirmed(expression: Expression, symbolic: Symbolic) -> bool:
    """Whether SymPy's derivative agrees with automatic differentiation in float64."""
    import jax

    with jax.enable_x64(True):
        points = jax.numpy.asarray(CHECK_POINTS, jax.numpy.float64)
        parameters = {
            name: jax.numpy.asarray(value) for name, value in start_values(expression).items()
        }
        _, slopes, _ = with_partials(expression)(points, parameters)
    expected = numpy.asarray(slopes)
    found = numpy.array(symbolic.slopes)
    defined = numpy.isfinite(expected)
    close = numpy.isclose(found[defined], expected[defined], rtol=1e-7, atol=1e-9)
    return bool(close.all()) and not math.isnan(found[defined].sum())
