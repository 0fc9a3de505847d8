"""Everything that can be said of one function: its forms, its kin, its nature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

import numpy

from grammars.algebra.canonical import canonical, expression_id
from grammars.algebra.symbolic import CHECK_POINTS, TIME_LIMIT_SECONDS, Symbolic, analyse
from grammars.analysis.properties import Property, properties
from grammars.analysis.relatives import Relative, known_as, nearest, relatives
from grammars.catalogue import CATALOGUE
from grammars.export.latex import formula
from grammars.expressions.expression import Expression, Parameter
from grammars.numerics.compilation import start_values, with_partials

_IN_JSON: Final = (
    "expression",
    "canonical",
    "id",
    "size",
    "depth",
    "latex",
    "derivative",
    "derivative_latex",
    "nearest",
)


@dataclass(frozen=True)
class Description:
    """What `actsearch describe` says; each answer is computed when it is asked for.

    Attributes:
        function: What is described; parameters are held at their start values where numbers are
            asked for.
        symbolic: What SymPy says of it, None where it was not asked or is not confirmed.
    """

    function: Expression
    symbolic: Symbolic | None = None

    @property
    def expression(self) -> str:
        """The function as it was written."""
        return str(self.function)

    @cached_property
    def canonical(self) -> str:
        """The form that equals share."""
        return str(canonical(self.function))

    @property
    def id(self) -> str:
        """Of the canonical form."""
        return expression_id(self.function)

    @property
    def size(self) -> int:
        """Nodes, as written."""
        return self.function.size

    @property
    def depth(self) -> int:
        """Edges to the deepest leaf, as written."""
        return self.function.depth

    @property
    def latex(self) -> str:
        """The function, as it was written."""
        return self.function.latex

    @cached_property
    def derivative(self) -> str:
        """By the rules of the language; simplified, if SymPy was asked and agrees with JAX."""
        return str(self._slope) if self.symbolic is None else self.symbolic.derivative

    @property
    def derivative_latex(self) -> str:
        """The derivative."""
        if self.symbolic is not None:
            return self.symbolic.derivative_latex
        return formula(self._slope)

    @cached_property
    def _slope(self) -> Expression:
        return self.function.derivative

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The trainable ones."""
        return self.function.parameters

    @cached_property
    def known_as(self) -> tuple[str, ...]:
        """Names in the catalogue."""
        return known_as(self.function)

    @cached_property
    def relatives(self) -> tuple[Relative, ...]:
        """Published functions that scaling and shifting turn into this one."""
        return tuple(r for r in relatives(self.function) if r.name not in self.known_as)

    @cached_property
    def nearest(self) -> str | None:
        """The published function of the most similar shape."""
        return nearest(self.function)

    @cached_property
    def properties(self) -> Mapping[str, Property]:
        """By name."""
        return properties(self.function)

    def to_json(self) -> dict[str, Any]:
        """Plain values with the attributes' names as keys."""
        document = {name: getattr(self, name) for name in _IN_JSON}
        document["parameters"] = [asdict(parameter) for parameter in self.parameters]
        document["known_as"] = [
            {"name": name, "aliases": CATALOGUE[name].aliases, "source": CATALOGUE[name].source}
            for name in self.known_as
        ]
        document["relatives"] = [asdict(r) | {"formula": r.formula} for r in self.relatives]
        document["properties"] = {name: asdict(p) for name, p in self.properties.items()}
        return document


def describe(
    expression: Expression,
    *,
    simplify: bool = False,
    timeout_seconds: float = TIME_LIMIT_SECONDS,
) -> Description:
    """Describes a function.

    Args:
        expression: Which.
        simplify: Whether SymPy simplifies the derivative, which takes seconds.
        timeout_seconds: What SymPy may take, in a process of its own.

    Returns:
        Its description.
    """
    if not simplify:
        return Description(expression)
    symbolic = analyse(expression, timeout_seconds=timeout_seconds)
    is_right = symbolic is not None and _is_confirmed(expression, symbolic)
    return Description(expression, symbolic if is_right else None)


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
