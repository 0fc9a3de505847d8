"""Several functions as one, of which a number chooses the one to compute at run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.custom_batching import custom_vmap

from evaluators.steps.compiling import one_kernel
from grammars import Expression, with_partials
from grammars.expressions.expression import SCOPES

# Functions in a kernel: enough that what a kernel costs by itself hardly counts, and few enough
# that compiling it takes no longer than the functions do one by one.
_IN_A_KERNEL: Final = 16


class Activated(NamedTuple):
    """What a layer's activation yields, all that its backward pass needs included.

    Value and slope share most of their work, and as the two parts of one complex number they are
    one loop to XLA on a CPU. As arrays of their own they would be two loops, each with all of the
    work: half as fast to run, and to compile.

    Attributes:
        pair: f(z) + i f'(z), [batch, units], complex; `value_of` and `slope_of` take it apart.
        partials: Derivatives by the trainable parameters [slots, batch, units].
    """

    pair: Array
    partials: Array

    @property
    def value(self) -> Array:
        """f(z), in the shape of `pair`."""
        return value_of(self.pair)

    @classmethod
    def nothing(cls, *shape: int, slots: int) -> Activated:
        """Before the first layer; the last two axes of `shape` are [batch, units]."""
        *layers, batch, units = shape
        return cls(jnp.zeros(shape, jnp.complex64), jnp.zeros((*layers, slots, batch, units)))


def value_of(pair: Array) -> Array:
    """f(z) of what `Activated` has as a pair."""
    return jnp.real(pair)


def slope_of(pair: Array) -> Array:
    """f'(z) of what `Activated` has as a pair."""
    return jnp.imag(pair)


class Activations:
    """Functions that share one compiled program.

    They are the branches of a `lax.switch` on a run-time index. A branch is a loop of its own, so
    that a function's results don't depend on the others, and which layer of which candidate
    computes which function is a matter of data.

    Attributes:
        slots: Trainable parameters of the function that has most.
        starts: Their values before training [functions, slots], 0 where a function has fewer.
        scopes: Index into `SCOPES` of each [functions, slots].
        branches: What is compiled, by index.
    """

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self.slots = max(len(expression.parameters) for expression in expressions)
        self.starts = np.zeros((len(expressions), self.slots), np.float32)
        self.scopes = np.zeros((len(expressions), self.slots), np.int32)
        for row, expression in enumerate(expressions):
            for slot, parameter in enumerate(expression.parameters):
                self.starts[row, slot] = parameter.start
                self.scopes[row, slot] = SCOPES.index(parameter.per)
        self.branches = [_branch(expression) for expression in expressions]

    def __call__(
        self,
        index: Array,
        z: Any,
        parameters: Array,
        *,
        read: Callable[[Any], Array] = lambda z: z,
    ) -> Activated:
        """Function `index` at z.

        Args:
            index: Of the function.
            z: [batch, units], or what `read` makes it of.
            parameters: Of the function [slots, units].
            read: Belongs to the kernel, so that what it makes need not be stored.
        """
        kernels = [
            one_kernel(partial(_one_of, self.branches[first : first + _IN_A_KERNEL], read))
            for first in range(0, len(self.branches), _IN_A_KERNEL)
        ]
        chosen: Activated = lax.switch(lax.div(index, _IN_A_KERNEL), kernels, index, z, parameters)
        return chosen

    def layer(self, number: Array, functions: Array, z: Array, parameters: Array) -> Activated:
        """What layer `number` of a network computes, counted from 0.

        Args:
            number: Of the layer.
            functions: Indices of those of all layers [layers].
            z: [batch, units].
            parameters: Of this layer [slots, units].
        """
        return self(functions[number], z, parameters)


class LaneActivations:
    """Functions of networks that train side by side, each in a lane of its own.

    Which lane computes which function is compiled into the program: under `jax.vmap` a choice at
    run time would have every lane compute all of them.
    """

    def __init__(self, activations: Activations, functions: np.ndarray) -> None:
        """Lays them out.

        Args:
            activations: All functions that occur.
            functions: Indices of those of each lane's layers [lanes, layers].
        """
        self._branches, self.slots = activations.branches, activations.slots
        by_layer = [tuple(column) for column in functions.T.tolist()]
        self._rows = list(dict.fromkeys(by_layer))
        self._row_of_layer = np.array([self._rows.index(row) for row in by_layer], np.int32)

    def layer(self, number: Array, functions: Array, z: Array, parameters: Array) -> Activated:
        """What `Activations.layer` computes, under `jax.vmap` over the lanes only."""

        @custom_vmap
        def activated(number: Array, z: Array, parameters: Array) -> Activated:
            # For its shapes only; what is computed is below.
            return _identity(z, parameters)

        @activated.def_vmap
        def _(lanes: int, batched: Any, *arguments: Array) -> tuple[Activated, Any]:
            return self._all_lanes(*arguments), Activated._make([True, True])

        seen: Activated = activated(number, z, parameters)
        return seen

    def _all_lanes(self, number: Array, z: Array, parameters: Array) -> Activated:
        choices = [lambda z, p, row=row: self._side_by_side(row, z, p) for row in self._rows]
        row = jnp.asarray(self._row_of_layer)[number]
        seen: Activated = lax.switch(row, choices, z, parameters)
        return seen

    def _side_by_side(self, row: Sequence[int], z: Array, parameters: Array) -> Activated:
        parts, first = [], 0
        for function, alike in groupby(row):
            count = len(list(alike))
            lanes, first = slice(first, first + count), first + count
            part = jax.vmap(self._branches[function])(z[lanes], parameters[lanes])
            # A kernel for each function: XLA would make one of them all, in three times the time.
            parts.append(lax.optimization_barrier(part))  # type: ignore[no-untyped-call]
        return Activated(*(jnp.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _one_of(
    branches: Sequence[Callable[[Array, Array], Activated]],
    read: Callable[[Any], Array],
    index: Array,
    z: Any,
    parameters: Array,
) -> Activated:
    # A switch of one branch is none: the last, never taken, keeps XLA from compiling a function
    # that is alone otherwise than one that has mates, and has a use for every argument.
    within = lax.rem(index, _IN_A_KERNEL)
    chosen: Activated = lax.switch(within, [*branches, _identity], read(z), parameters)
    return chosen


def _branch(expression: Expression) -> Callable[[Array, Array], Activated]:
    names = [parameter.name for parameter in expression.parameters]
    partials = with_partials(expression)

    def branch(z: Array, parameters: Array) -> Activated:
        own = {name: parameters[slot] for slot, name in enumerate(names)}
        # One axis is compiled faster than two, but parameters vary along the second.
        value, slope, by_name = partials(z if own else z.reshape(-1), own)
        unused = [jnp.zeros_like(z)] * (len(parameters) - len(names))
        rows = [*(by_name[name] for name in names), *unused]
        stacked = jnp.stack(rows) if rows else jnp.zeros((0, *z.shape))
        return Activated(lax.complex(value, slope).reshape(z.shape), stacked)

    return branch


def _identity(z: Array, parameters: Array) -> Activated:
    partials = jnp.broadcast_to(parameters[:, None], (len(parameters), *z.shape))
    return Activated(lax.complex(z, jnp.ones_like(z)), partials)


def tied(gradients: Array, scopes: Array, functions: Array, *, channels: Sequence[int]) -> Array:
    """Gives the units that share a trainable parameter the sum of their gradients.

    Every unit carries a copy; since the copies start equal and meet equal gradients, an
    elementwise optimiser keeps them equal.

    Args:
        gradients: Of each unit's copy [layers, slots, units].
        scopes: Index into `SCOPES` of each slot [layers, slots].
        functions: Number of each layer's function [layers]: what a network shares, only the
            layers with the same function share.
        channels: Of each layer.

    Returns:
        Gradients [layers, slots, units].
    """
    slots = [
        _slot_tied(gradients[:, slot], scopes[:, slot], functions, channels)
        for slot in range(gradients.shape[1])
    ]
    return jnp.stack(slots, axis=1) if slots else gradients


def _slot_tied(gradients: Array, scopes: Array, functions: Array, channels: Sequence[int]) -> Array:
    # Slot by slot, since the order in which numbers are summed up depends on the array's shape, and
    # how many slots there are on the other functions of the batch.
    by_channel = jnp.stack(
        [_by_channel(layer, count) for layer, count in zip(gradients, channels, strict=True)]
    )
    by_layer = jnp.sum(gradients, axis=1, keepdims=True)
    same = (functions[:, None] == functions[None, :])[:, :, None]
    by_network = jnp.sum(jnp.where(same, by_layer[None], 0.0), axis=1)
    scope = scopes[:, None]
    shared = jnp.where(scope == SCOPES.index("layer"), by_layer, by_network)
    return jnp.where(scope == SCOPES.index("channel"), by_channel, shared)


def _by_channel(gradients: Array, channels: int) -> Array:
    (units,) = gradients.shape
    if channels == units:
        return gradients
    sums = gradients.reshape(units // channels, channels).sum(axis=0)
    return jnp.tile(sums, units // channels)
