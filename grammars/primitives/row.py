"""What a row of the table of primitives says, and what it must not leave out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any, Final, Literal

import numpy

from grammars.expressions.expression import Expression
from grammars.expressions.forms import Form
from grammars.expressions.intervals import EVERYWHERE, Interval


@dataclass(frozen=True)
class Arrays:
    """Where a definition finds its elementary functions.

    One definition serves NumPy (float64, the reference and the fingerprints) and JAX (training), so
    the two cannot drift apart.

    Attributes:
        np: A module with the interface of `numpy`.
        special: Has what definitions use of `scipy.special`.
        elementary: Has `sin`, `cos`, `arctan`, `softplus` and `erf`.
    """

    np: ModuleType
    special: ModuleType | SimpleNamespace
    elementary: ModuleType | SimpleNamespace


class _ScipySpecial(SimpleNamespace):
    """`scipy.special`, imported with the first function: it takes as long as all the rest."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(import_module("scipy.special"), name)
        setattr(self, name, function)
        return function


_SPECIAL: Final = _ScipySpecial()


def _erf(a: Any) -> Any:
    return _SPECIAL.erf(a)


NUMPY: Final = Arrays(
    numpy,
    _SPECIAL,
    SimpleNamespace(
        sin=numpy.sin,
        cos=numpy.cos,
        arctan=numpy.arctan,
        softplus=lambda a: numpy.logaddexp(a, 0.0),
        erf=_erf,
    ),
)

Slot = Literal["any", "constant", "input"]
"""What an operand must be in every grammar: anything, a number, or `x`."""


class PrimitiveError(ValueError):
    """A row that leaves out what the language cannot do without."""


@dataclass(frozen=True, kw_only=True)
class Primitive:
    """One row of the table: all that the language knows of a primitive.

    A row must say how its slope follows: by partial derivatives, by a form of other primitives, or
    by a rule of its own. All else has a default that claims nothing.

    Attributes:
        name: What users write.
        arity: Number of arguments.
        define: `define(arrays, *arguments)`, elementwise; shapes broadcast.
        sympy: `sympy(module, *arguments)`, the same function without its guard, built from objects
            of SymPy; the module is an argument so that this table does not import it.
        cost: Time of f and f' together relative to `relu`, a coarse prior for searches that weigh
            cost; `evaluators.probing.cost` measures.
        partials: `partials(y, *operands)`, the partial derivatives of y = f(operands), one for each
            operand, as expressions.
        lowering: `lowering(*operands)`, the same function written with other primitives; targets
            without a form of their own are given it, and so is differentiation where there are no
            partial derivatives: what selects between its operands has none, since a masked slope
            times an infinite one would be NaN.
        slope: `slope(operands, slopes)`, the derivative by x from the operands and theirs, for what
            neither of the two can say.
        held: `held(operand)`, at least 0 where the guard holds the argument back, so that the slope
            is 0; a NaN is on neither side and stays visible.
        guard: How and why the argument is guarded, empty where none is needed.
        source: Where the function comes from, empty for the elementary ones.
        smooth: Whether the function has a continuous derivative where it is defined.
        total: Whether it has a finite value for all finite arguments that training can meet.
        grows: Whether a moderate argument can give a value so large that another such primitive of
            it overflows.
        commutative: Whether its operands may change places.
        parity: Whether f(-a) is -f(a) or f(a).
        monotone: Whether a function of one argument only rises or only falls.
        domain: The arguments for which a function of one argument is defined.
        range: Between which values all results lie.
        bounds: `bounds(*intervals)`, between which values the results for operands between such
            values lie, for primitives of several arguments.
        slots: What each operand must be in every grammar; anything by default.
        forms: How the export targets write it, by the target's name: a template, a `Form` where
            it is not a call, and for ONNX the operator. A target that is not among them is given
            the lowering.
    """

    name: str
    arity: int
    define: Callable[..., Any]
    sympy: Callable[..., Any]
    cost: float
    partials: Callable[..., tuple[Expression, ...]] | None = None
    lowering: Callable[..., Expression] | None = None
    slope: Callable[..., Expression] | None = None
    held: Callable[[Expression], Expression] | None = None
    guard: str = ""
    source: str = ""
    smooth: bool = True
    total: bool = False
    grows: bool = False
    commutative: bool = False
    parity: Literal["odd", "even"] | None = None
    monotone: Literal["rising", "falling"] | None = None
    domain: Interval = EVERYWHERE
    range: Interval = EVERYWHERE
    bounds: Callable[..., Interval] | None = None
    slots: tuple[Slot, ...] = ()
    forms: Mapping[str, str | Form] = field(default_factory=dict)

    def form(self, target: str) -> Form | None:
        """How a target writes the primitive, None where it has no form of its own for it."""
        found = self.forms.get(target)
        return Form(found) if isinstance(found, str) else found

    def __post_init__(self) -> None:
        if self.partials is None and self.lowering is None and self.slope is None:
            raise PrimitiveError(
                f"the primitive {self.name!r} has no derivative; give its row partials, a lowering "
                "to other primitives, or a rule for its slope"
            )
        if self.slots and len(self.slots) != self.arity:
            raise PrimitiveError(
                f"the primitive {self.name!r} takes {self.arity} arguments, its row has "
                f"{len(self.slots)} slots"
            )
        if not self.slots:
            object.__setattr__(self, "slots", ("any",) * self.arity)
