"""A network cut at the calls of its activation: the way that a pass takes through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax import Array

from evaluators.steps.activations import value_of
from evaluators.steps.calls import Traced, read
from evaluators.steps.segments import Differentiated, Segment, memory_for, segments
from evaluators.steps.store_layout import Place, of_call

Known = dict[Any, Any]
"""Values of a network's variables."""


class Route:
    """A traced network as the stretches before, between and after its calls.

    Attributes:
        calls: Those at the top, with their numbers among all.
        before: The stretch before each of these.
        last: The stretch after them.
        forms: What is computed and kept of each in `before`: with what the way back needs, if there
            is one.
    """

    def __init__(self, traced: Traced, *, is_learning: bool) -> None:
        """Cuts it.

        Args:
            traced: The network.
            is_learning: Whether there is a way back.
        """
        self._program = traced.program
        self.calls = [(n, call) for n, call in enumerate(traced.calls) if call.number is None]
        *self.before, self.last = segments(traced)
        self.forms: list[Segment | Differentiated] = [
            each.differentiated if is_learning else each for each in self.before
        ]

    @property
    def arguments(self) -> Sequence[Any]:
        """Variables of what it is given."""
        variables: Sequence[Any] = self._program.jaxpr.invars
        return variables

    @property
    def outputs(self) -> Any:
        """The variable of the network's outputs."""
        return self._program.jaxpr.outvars[0]

    def begun(self, arguments: Sequence[Any]) -> Known:
        """What is known before the first stretch."""
        jaxpr, constants = self._program.jaxpr, self._program.consts
        known = dict(zip(jaxpr.invars, arguments, strict=True))
        return known | dict(zip(jaxpr.constvars, constants, strict=True))

    def nothing_kept(self) -> tuple[tuple[Array, ...], ...]:
        """Memory for what is kept of the stretches before calls."""
        return tuple(map(memory_for, self.forms))

    def stretch(
        self, number: int, known: Known, places: Sequence[Place], store: Array
    ) -> tuple[tuple[Any, ...], Array]:
        """What is kept of the stretch before a call, and what it gives to the activation."""
        segment = self.before[number]
        known = known | self._results(places, store)
        kept = self.forms[number].forward(*(known[v] for v in segment.given))
        own = known | dict(zip(segment.yields, kept, strict=False))
        return tuple(kept), own[self.calls[number][1].given].reshape(-1)

    def passed(
        self, arguments: Sequence[Any], kept: Any, places: Sequence[Place], store: Array
    ) -> Known:
        """What is known behind the last call."""
        known = self.begun(arguments)
        for segment, own in zip(self.before, kept, strict=True):
            known |= zip(segment.yields, own, strict=False)
        return known | self._results(places, store)

    def _results(self, places: Sequence[Place], store: Array) -> Known:
        """What calls have made."""
        return {
            call.result: value_of(of_call(place, store)).reshape(call.shape)
            for (_, call), place in zip(self.calls, places, strict=True)
        }

    def ended(self, known: Known, ends: Sequence[Any], state: Any) -> tuple[Array, Any]:
        """The outputs, and the state after them in the form of the one before.

        Args:
            known: What is known behind the last call.
            ends: What the last stretch has kept.
            state: The one before.
        """
        known = known | dict(zip(self.last.yields, ends, strict=False))
        outputs, *remembered = (read(known, v) for v in self._program.jaxpr.outvars)
        return outputs, jax.tree.unflatten(jax.tree.structure(state), remembered)
