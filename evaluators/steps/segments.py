"""What a network computes between two calls of its activation, forward and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun

from evaluators.steps.calls import Traced, compute, is_call

_GIVEN: Final = "given"
_KEPT: Final = "kept"
_FIXED: Final = "fixed"


@dataclass(frozen=True)
class Segment:
    """A stretch of a network's equations.

    Attributes:
        equations: In their order.
        given: Variables that it reads.
        yields: Variables that later stretches, or whoever asks for the outputs, read.
    """

    equations: tuple[Any, ...]
    given: tuple[Any, ...]
    yields: tuple[Any, ...]

    def __call__(self, *values: Any) -> list[Any]:
        """What it yields, from what it is given."""
        known = dict(zip(self.given, values, strict=True))
        compute(self.equations, known)
        return [known[variable] for variable in self.yields]

    @property
    def kept(self) -> list[Any]:
        """Shapes and types of what it yields, all that is kept where there is no way back."""
        return [variable.aval for variable in self.yields]

    def forward(self, *given: Any) -> list[Any]:
        """What is kept, as of `Differentiated`."""
        return self(*given)

    @cached_property
    def differentiated(self) -> Differentiated:
        """The same, with what its way back needs."""
        moves = [_moves(variable) for variable in self.given]
        form: list[Any] = []

        def forward(*values: Any) -> tuple[list[Any], list[Any]]:
            def of_moving(*moving: Any) -> list[Any]:
                parts = iter(moving)
                chosen = [
                    next(parts) if does_move else value
                    for does_move, value in zip(moves, values, strict=True)
                ]
                return self(*chosen)

            yielded, pull = jax.vjp(of_moving, *itertools.compress(values, moves))
            leaves, structure = jax.tree.flatten(pull)
            form.append(structure)
            return yielded, leaves

        program = jax.make_jaxpr(forward)(*(variable.aval for variable in self.given))
        moving = tuple(itertools.compress(self.given, moves))
        return Differentiated(program, len(self.yields), moving, form[-1])


class Differentiated:
    """A segment that keeps what its way back needs, beside what it yields.

    What the way back needs of what was given is not kept once more: weights, above all.

    Attributes:
        kept: Shapes and types of all that is kept; what is yielded comes first.
        moving: The given variables by which it is differentiated.
    """

    def __init__(
        self, program: ClosedJaxpr, yields: int, moving: tuple[Any, ...], form: Any
    ) -> None:
        self.moving, self._yields, self._form = moving, yields, form
        self._run = jaxpr_as_fun(program)
        jaxpr, constants = (
            program.jaxpr,
            dict(zip(program.jaxpr.constvars, program.consts, strict=True)),
        )
        positions = {variable: (_GIVEN, n) for n, variable in enumerate(jaxpr.invars)}
        self._chosen = list(range(yields))
        kept = {v: (_KEPT, n) for n, v in enumerate(jaxpr.outvars[:yields]) if _is_named(v)}
        self._needed: list[tuple[str, Any]] = []
        for place, variable in enumerate(jaxpr.outvars[yields:], yields):
            if isinstance(variable, Literal):
                self._needed.append((_FIXED, variable.val))
            elif variable in constants:
                self._needed.append((_FIXED, constants[variable]))
            elif variable in positions or variable in kept:
                self._needed.append(positions.get(variable) or kept[variable])
            else:
                kept[variable] = (_KEPT, len(self._chosen))
                self._needed.append(kept[variable])
                self._chosen.append(place)
        self.kept = [jaxpr.outvars[place].aval for place in self._chosen]

    def forward(self, *given: Any) -> list[Any]:
        """What is kept."""
        results = self._run(*given)
        return [results[place] for place in self._chosen]

    def backward(
        self, given: Sequence[Any], kept: Sequence[Any], gradients: Sequence[Any]
    ) -> list[Any]:
        """Gradients by what is `moving`, from those by what was yielded."""
        sources = {_GIVEN: given, _KEPT: kept}
        leaves = [
            what if source == _FIXED else sources[source][what] for source, what in self._needed
        ]
        pull = jax.tree.unflatten(self._form, leaves)
        pulled: list[Any] = list(pull(list(gradients)))
        return pulled


def segments(traced: Traced) -> list[Segment]:
    """One before each call at the top, and one after the last."""
    stretches = list(_stretches(traced.program.jaxpr.eqns))
    wanted: set[Any] = {v for v in traced.program.jaxpr.outvars if _is_named(v)}
    found: list[Segment] = []
    # From the end, since what a segment yields is what later ones read.
    for equations, call in reversed(stretches):
        if call is not None:
            wanted |= {call.invars[0]} if _is_named(call.invars[0]) else set()
        needed = _needed(equations, wanted)
        made = {variable for equation in needed for variable in equation.outvars}
        reads = dict.fromkeys(v for e in needed for v in e.invars if _is_named(v))
        given = tuple(variable for variable in reads if variable not in made)
        yields = tuple(dict.fromkeys(v for e in needed for v in e.outvars if v in wanted))
        found.append(Segment(tuple(needed), given, yields))
        wanted = (wanted - made) | set(given)
    return found[::-1]


def _stretches(equations: Sequence[Any]) -> Iterator[tuple[list[Any], Any]]:
    """Equations up to each call, with it; then the rest, with None."""
    stretch: list[Any] = []
    for equation in equations:
        if is_call(equation):
            yield stretch, equation
            stretch = []
        else:
            stretch.append(equation)
    yield stretch, None


def _needed(equations: Sequence[Any], wanted: set[Any]) -> list[Any]:
    """Those without which the wanted variables could not be had."""
    wanted, needed = set(wanted), []
    for equation in reversed(equations):
        if any(variable in wanted for variable in equation.outvars):
            needed.append(equation)
            wanted |= {variable for variable in equation.invars if _is_named(variable)}
    return needed[::-1]


def _is_named(variable: Any) -> bool:
    return not isinstance(variable, Literal)


def memory_for(form: Segment | Differentiated) -> tuple[Array, ...]:
    """Arrays in the place of what is kept."""
    return tuple(jnp.zeros(aval.shape, aval.dtype) for aval in form.kept)


def zeros_of(variable: Any) -> Array:
    """As a gradient that nothing contributes to."""
    return jnp.zeros(variable.aval.shape, variable.aval.dtype)


def no_gradient(variable: Any) -> Any:
    """Of what nothing contributes to, or what has none: integers, choices, random keys."""
    if _moves(variable):
        return zeros_of(variable)
    return np.zeros(variable.aval.shape, jax.dtypes.float0)


def _moves(variable: Any) -> bool:
    """Whether there are gradients by it: by real and complex numbers, such as Fourier's."""
    return bool(jnp.issubdtype(variable.aval.dtype, jnp.inexact))
