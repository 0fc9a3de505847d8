"""The numbers that a pass through a network carries along, and what is done to all at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from evaluators.steps.activations import slope_of, value_of
from evaluators.steps.progress import FLAT_SLOPE, ZERO_OUTPUT, Progress, Sums, UnitSums
from evaluators.steps.store_layout import Place, of_call


class Carried(NamedTuple):
    """What one pass hands to the next; all but the first two are nothing but memory.

    Attributes:
        progress: See there.
        sums: See there; those of units are flat, laid out as `store`.
        kept: What each segment but the last keeps for later ones and for the way back, of each
            route through the network.
        given: What a segment gives to the activation.
        store: f and f' of all calls, side by side, each from the beginning of a block [numbers].
        partials: Derivatives by the trainable parameters, likewise [slots, numbers].
    """

    progress: Progress
    sums: Sums
    kept: tuple[tuple[tuple[Array, ...], ...], ...]
    given: Array
    store: Array
    partials: Array


def noted(store: Array, partials: Array, activated: Any, at: Array) -> tuple[Array, Array]:
    """The store, with a block's numbers in it."""
    pair = activated.pair.reshape(-1)
    flat = activated.partials.reshape(len(partials), len(pair))
    return (
        lax.dynamic_update_slice(store, pair, (at,)),
        lax.dynamic_update_slice(partials, flat, (0, at)),
    )


def through(place: Place, by_result: Array, store: Array) -> Array:
    """Gradients by what a call was given.

    In the shape of the network: had what comes before this to write its numbers in a row, XLA would
    compute each one's place in its own shape by divisions.
    """
    flat = by_result.reshape(-1) * slope_of(of_call(place, store))
    return flat.reshape(by_result.shape)


def observed(sums: UnitSums, store: Array, counting: Array) -> UnitSums:
    value, steepness = value_of(store), jnp.abs(slope_of(store))
    seen = UnitSums(value, jnp.abs(value) <= ZERO_OUTPUT, steepness > 0, steepness < FLAT_SLOPE)
    return UnitSums(
        *(
            total + jnp.where(counting, new.astype(jnp.float32), 0.0)
            for total, new in zip(sums, seen, strict=True)
        )
    )


def as_it_is(function: Any) -> Any:
    return function
