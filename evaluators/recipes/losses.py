"""The loss of a recipe, summed up example by example, and its gradient by the outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import jax
import jax.numpy as jnp
from jax import Array

from evaluators.reading.functions import UserCodeError, blamed
from evaluators.reading.given_functions import OwnFunction
from evaluators.recipes.recipe import Loss, LossName

# Sums over so many numbers XLA leaves to a library, whose calls cannot be part of a kernel.
_LIBRARY_SUM: Final = 4096

Summed = Callable[[Array, Array, Array, Array, Array], tuple[Array, Array, Array]]
"""See `cross_entropy`."""


def cross_entropy(
    loss: Array, hits: Array, logits: Array, labels: Array, present: Array
) -> tuple[Array, Array, Array]:
    """Adds a pass to the sums of each example's loss, in nats, and hits.

    Written out, since looking up the logit of a label would have a scatter for its gradient. Where
    an example has a class for each of its places, it counts by the mean over them.

    Args:
        loss: Sums by place in the batch [batch].
        hits: Likewise, of the examples that were classified rightly [batch].
        logits: [batch, *places, classes].
        labels: [batch, *places].
        present: Which of the examples count [batch].

    Returns:
        The new sums, and the gradient of the pass's mean loss by the logits.
    """
    if labels.ndim > 1:
        return _by_place(loss, hits, logits, labels, present)
    by_class = logits.T  # of short rows, every loop would be compiled once for each place in one
    classes = jnp.arange(len(by_class))[:, None]
    is_label = labels == classes
    shifted = by_class - jnp.max(by_class, axis=0)
    weights = jnp.exp(shifted)
    total = jnp.sum(weights, axis=0)
    losses = jnp.log(total) - jnp.sum(jnp.where(is_label, shifted, 0.0), axis=0)
    # The first of the greatest, as argmax has it, which takes twice as long to compile.
    chosen = jnp.min(jnp.where(shifted == 0.0, classes, len(classes)), axis=0)
    by_logits = jnp.where(present, weights / total - is_label, 0.0) / len(labels)
    return (
        loss + jnp.where(present, losses, 0.0),
        hits + jnp.where(present & (chosen == labels), 1.0, 0.0),
        by_logits.T,
    )


def _by_place(
    loss: Array, hits: Array, logits: Array, labels: Array, present: Array
) -> tuple[Array, Array, Array]:
    batch, nothing = len(labels), jnp.zeros(labels.size)
    counting = jnp.broadcast_to(present[:, None], (batch, labels.size // batch)).reshape(-1)
    rows = logits.reshape(labels.size, -1)
    losses, found, by_rows = cross_entropy(nothing, nothing, rows, labels.reshape(-1), counting)
    return (
        loss + losses.reshape(batch, -1).mean(axis=1),
        hits + found.reshape(batch, -1).mean(axis=1),
        by_rows.reshape(logits.shape),
    )


def squared_error(
    loss: Array, hits: Array, outputs: Array, labels: Array, present: Array
) -> tuple[Array, Array, Array]:
    """Adds a pass to the sums of each example's squared error, the mean over its outputs.

    Args:
        loss: Sums by place in the batch [batch].
        hits: Stay as they are: an error is no hit.
        outputs: [batch, outputs].
        labels: What they should be [batch], of a single output, or [batch, outputs].
        present: Which of the examples count [batch].

    Returns:
        The new sums, and the gradient of the pass's mean loss by the outputs.
    """
    errors = outputs.T - labels.reshape(outputs.shape).T
    losses = jnp.sum(errors * errors, axis=0) / len(errors)
    by_outputs = jnp.where(present, errors, 0.0) * (2.0 / errors.size)
    return loss + jnp.where(present, losses, 0.0), hits, by_outputs.T


_NAMED: Final[Mapping[LossName, Summed]] = {
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
}


def summed(loss: Loss) -> Summed:
    """A recipe's loss, as `cross_entropy` is given."""
    return _NAMED[loss] if isinstance(loss, str) else _own(loss)


def fits_in_a_kernel(loss: Summed, outputs: Array) -> bool:
    """Whether XLA can make one kernel of it; nobody knows what a user's own is made of."""
    return loss in _NAMED.values() and outputs.size < _LIBRARY_SUM


def _own(own: OwnFunction) -> Summed:
    """A loss of a user's own: of outputs [batch, ..., outputs] and targets, to losses [batch].

    In place of hits it adds up squared errors, where the targets are numbers.
    """
    function = own.load()

    def add(
        loss: Array, hits: Array, outputs: Array, labels: Array, present: Array
    ) -> tuple[Array, Array, Array]:
        are_classes = jnp.issubdtype(labels.dtype, jnp.integer)
        targets = labels if are_classes else labels.reshape(outputs.shape)

        def losses_of(outputs: Array) -> Array:
            with blamed(own.path, doing="computing the loss", line=own.line):
                return _each(function(outputs, targets), len(outputs), own)

        losses, pull = jax.vjp(losses_of, outputs)
        (by_outputs,) = pull(jnp.where(present, 1.0 / len(labels), 0.0).astype(losses.dtype))
        if are_classes:
            right = (jnp.argmax(outputs, axis=-1) == labels).astype(jnp.float32)
            fits = right.reshape(len(labels), -1).mean(axis=1)
        else:
            fits = jnp.mean(jnp.square(outputs - targets), axis=1)
        return (
            loss + jnp.where(present, losses, 0.0),
            hits + jnp.where(present, fits, 0.0),
            by_outputs,
        )

    return add


def _each(losses: Any, batch: int, own: OwnFunction) -> Array:
    array = jnp.asarray(losses)
    if array.shape != (batch,) or not jnp.issubdtype(array.dtype, jnp.floating):
        raise UserCodeError(
            f"{own.place}: {own.name} must return a loss for each example, an array of shape "
            f"[{batch}] for {batch} examples, got {array.dtype} of shape {list(array.shape)}"
        )
    return array
