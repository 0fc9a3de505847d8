"""Where the numbers of each call of an activation are in one array for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from evaluators.steps.calls import Call

# A call may be as much larger than the smallest; beyond, blocks are cut larger than that.
_MOST_BLOCKS = 8


@dataclass(frozen=True)
class Place:
    """Where a call's numbers are in the store.

    Attributes:
        first: Number of the first.
        size: How many there are.
        blocks: How many blocks they take.
    """

    first: int
    size: int
    blocks: int


def laid_out(calls: Sequence[Call]) -> tuple[int, list[Place]]:
    """The size of a block, and where each call's numbers are."""
    sizes = [int(np.prod(call.shape, dtype=np.int64)) for call in calls]
    block = max(min(sizes, default=1), -(-max(sizes, default=1) // _MOST_BLOCKS))
    places, first = [], 0
    for size in sizes:
        blocks = -(-size // block)
        places.append(Place(first, size, blocks))
        first += blocks * block
    return block, places


def of_call(place: Place, row: Array) -> Array:
    return lax.slice_in_dim(row, place.first, place.first + place.size)


def padded(row: Array, length: int) -> Array:
    return jnp.pad(row, (0, length - len(row)))
