"""What training changes, and what passes over examples add up."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

if TYPE_CHECKING:
    from evaluators.steps.optimizers import Optimizer

# What counts as no gradient worth the name, and as an output of zero.
FLAT_SLOPE = 0.05
ZERO_OUTPUT = 1e-3


class Mode(IntEnum):
    """What a pass is for."""

    OBSERVE = 0
    """To add up what `Sums` holds; nothing is learnt."""
    LEARN = 1
    """To take a step."""
    MEASURE = 2
    """To leave the gradient of the loss by what is learnt in place of that."""


class Learnt(NamedTuple):
    """What an optimiser changes.

    Attributes:
        weights: Of the network, a pytree of arrays.
        parameters: Every unit's copy of the trainable parameters [layers, slots, units].
    """

    weights: Any
    parameters: Any


class Progress(NamedTuple):
    """The state of a training.

    Attributes:
        learnt: See there.
        optimizer: What the optimiser remembers.
        state: What the network remembers from one step to the next, such as moving averages: a
            pytree of arrays, that of most networks empty.
    """

    learnt: Learnt
    optimizer: Any
    state: Any = ()

    def stepped(self, optimizer: Optimizer, *, gradient: Learnt, rate: Array) -> Progress:
        """After a step of the optimiser, which leaves the state as it is."""
        learnt, memory = optimizer.step(self.learnt, self.optimizer, gradient=gradient, rate=rate)
        return self._replace(learnt=learnt, optimizer=memory)


class UnitSums(NamedTuple):
    """Totals over passes, of each hidden unit at each place in a batch [layers, batch, units].

    Attributes:
        outputs: The units' outputs.
        zeros: How many of them are within `ZERO_OUTPUT` of 0.
        live: Examples for which a unit has a gradient at all.
        flat: Examples for which a unit's slope is below `FLAT_SLOPE`.
    """

    outputs: Array
    zeros: Array
    live: Array
    flat: Array


class Sums(NamedTuple):
    """Totals over passes, of each place in a batch.

    What is left to add up is added up where it need not be compiled: see `totals`.

    Attributes:
        loss: As the recipe has it [batch].
        hits: Examples that were classified rightly [batch].
        units: Of passes that didn't learn.
    """

    loss: Array
    hits: Array
    units: UnitSums

    @classmethod
    def nothing(cls, layers: int, batch: int, units: int) -> Sums:
        """Before the first pass."""
        by_example, by_unit = jnp.zeros(batch), jnp.zeros((layers, batch, units))
        return cls(by_example, by_example, UnitSums(by_unit, by_unit, by_unit, by_unit))

    def totals(self) -> dict[str, np.ndarray]:
        """By name, in float64, behind such axes as stand in front of those above.

        Returns:
            "loss" and "hits" []; "outputs" and "zeros" [layers]; "live" and "flat" [layers, units].
        """
        parts = self.units._asdict()
        totals = {name: np.asarray(part, np.float64).sum(axis=-2) for name, part in parts.items()}
        for name in ("outputs", "zeros"):
            totals[name] = totals[name].sum(axis=-1)
        for name, part in (("loss", self.loss), ("hits", self.hits)):
            totals[name] = np.asarray(part, np.float64).sum(axis=-1)
        return totals
