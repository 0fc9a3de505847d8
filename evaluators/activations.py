"""A batch of candidates as one function, of which a number chooses the candidate at run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from grammars import Expression, with_partials
from grammars.expression import SCOPES


class Activated(NamedTuple):
    """What a layer's activation yields, all that its backward pass needs included.

    Attributes:
        value: f(z), [batch, units].
        slope: f'(z), [batch, units].
        partials: Derivatives by the trainable parameters [slots, batch, units].
    """

    value: Array
    slope: Array
    partials: Array


class Activations:
    """Candidates that share one compiled program.

    They are the branches of one `lax.switch` on a run-time index. A branch is compiled by itself,
    so that a candidate's results don't depend on the others.

    Attributes:
        slots: Trainable parameters of the candidate that has most.
        starts: Their values before training [candidates, slots], 0 where a candidate has fewer.
        scopes: Index into `SCOPES` of each [candidates, slots].
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self.slots = max(len(expression.parameters) for expression in expressions)
        self.starts = np.zeros((len(expressions), self.slots), np.float32)
        self.scopes = np.zeros((len(expressions), self.slots), np.int32)
        for row, expression in enumerate(expressions):
            for slot, parameter in enumerate(expression.parameters):
                self.starts[row, slot] = parameter.start
                self.scopes[row, slot] = SCOPES.index(parameter.per)
        self._branches = [_branch(expression) for expression in expressions]

    def __call__(self, index: Array, z: Array, parameters: Array) -> Activated:
        """Candidate `index` at z [batch, units], with its parameters [slots, units]."""
        chosen: Activated = lax.switch(index, self._branches, z, parameters)
        return chosen


def _branch(expression: Expression) -> Callable[[Array, Array], Activated]:
    names = [parameter.name for parameter in expression.parameters]
    partials = with_partials(expression)

    def branch(z: Array, parameters: Array) -> Activated:
        own = {name: parameters[slot] for slot, name in enumerate(names)}
        value, slope, by_name = partials(z, own)
        unused = [jnp.zeros_like(z)] * (len(parameters) - len(names))
        rows = [*(by_name[name] for name in names), *unused]
        return Activated(value, slope, jnp.stack(rows) if rows else jnp.zeros((0, *z.shape)))

    return branch


def tied(gradients: Array, scopes: Array, *, channels: Sequence[int]) -> Array:
    """Gives the units that share a trainable parameter the sum of their gradients.

    Every unit carries a copy; since the copies start equal and meet equal gradients, an
    elementwise optimiser keeps them equal.

    Args:
        gradients: Of each unit's copy [layers, slots, units].
        scopes: Index into `SCOPES` of each slot [slots].
        channels: Of each layer.

    Returns:
        Gradients [layers, slots, units].
    """
    by_channel = jnp.stack(
        [_by_channel(layer, count) for layer, count in zip(gradients, channels, strict=True)]
    )
    by_layer = jnp.sum(gradients, axis=2, keepdims=True)
    by_network = jnp.sum(by_layer, axis=0, keepdims=True)
    scope = scopes[None, :, None]
    shared = jnp.where(scope == SCOPES.index("layer"), by_layer, by_network)
    return jnp.where(scope == SCOPES.index("channel"), by_channel, shared)


def _by_channel(gradients: Array, channels: int) -> Array:
    slots, units = gradients.shape
    if channels == units:
        return gradients
    sums = gradients.reshape(slots, units // channels, channels).sum(axis=1)
    return jnp.tile(sums, (1, units // channels))
