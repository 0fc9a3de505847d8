"""One pass of a batch of examples through a network: the computation that XLA compiles."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from evaluators.activations import Activated, Activations, LaneActivations, tied
from evaluators.batches import Examples
from evaluators.compiling import one_kernel
from evaluators.networks import Layer, Network

Progress = dict[str, Any]
"""What training changes: "layers", "parameters" [layers, slots, units] and "optimizer"."""

# What counts as no gradient worth the name, and as an output of zero.
FLAT_SLOPE = 0.05
ZERO_OUTPUT = 1e-3


class Sums(NamedTuple):
    """Totals over the examples that were passed.

    Attributes:
        loss: Cross-entropy in nats.
        hits: Examples that were classified rightly.
        outputs: Of hidden units, by layer [layers].
        zeros: Hidden outputs within `ZERO_OUTPUT` of 0, by layer [layers].
        live: Examples for which a unit has a gradient at all [layers, units].
        flat: Examples for which a unit's slope is below `FLAT_SLOPE` [layers, units].
    """

    loss: Array
    hits: Array
    outputs: Array
    zeros: Array
    live: Array
    flat: Array

    @classmethod
    def nothing(cls, layers: int, units: int) -> Sums:
        """Before the first pass."""
        by_layer, by_unit = jnp.zeros(layers), jnp.zeros((layers, units))
        return cls(jnp.zeros(()), jnp.zeros(()), by_layer, by_layer, by_unit, by_unit)


class Stepper:
    """Passes examples forward, and back where the network is to learn.

    The backward pass is written out instead of left to automatic differentiation: so the
    activation, the only part that is compiled anew for every candidate, occurs in one place, for
    all layers, for training and validation alike.
    """

    def __init__(
        self,
        network: Network,
        activations: Activations | LaneActivations,
        optimizer: optax.GradientTransformation,
        *,
        shape: tuple[int, ...],
    ) -> None:
        self._network, self._activations, self._optimizer = network, activations, optimizer
        self._shape = shape
        self._layers, self._units = network.hidden_layers, network.units(shape)

    def run(
        self,
        functions: Array,
        progress: Progress,
        scopes: Array,
        examples: Examples,
        scale: Array,
        count: Array,
        learning: Array,
    ) -> tuple[Progress, Sums]:
        """Makes `count` passes.

        Args:
            functions: Number of each hidden layer's function [layers].
            progress: The state of the training.
            scopes: Of the trainable parameters [layers, slots].
            examples: Of each pass.
            scale: Of the inputs.
            count: How many of the passes to make.
            learning: Whether to take a step each, or to sum up what `Sums` holds.

        Returns:
            The new state, and the sums; of the steps, the loss only.
        """

        def make_pass(number: Array, carried: tuple[Progress, Sums]) -> tuple[Progress, Sums]:
            inputs, labels, present = (_at(array, number) for array in examples)
            x = inputs.astype(jnp.float32) * scale
            return self._pass(functions, carried, scopes, x, labels, present, learning=learning)

        nothing = Sums.nothing(self._layers, self._units)
        done: tuple[Progress, Sums] = lax.fori_loop(0, count, make_pass, (progress, nothing))
        return done

    def _pass(
        self,
        functions: Array,
        carried: tuple[Progress, Sums],
        scopes: Array,
        x: Array,
        labels: Array,
        present: Array,
        *,
        learning: Array,
    ) -> tuple[Progress, Sums]:
        hidden = self._forward(functions, carried[0], x)

        last = carried[0]["layers"][-1]
        logits, pull = jax.vjp(partial(self._apply, self._layers), last, hidden.value[-1])
        loss, hits, by_logits = _cross_entropy(logits, labels, present)

        def learn(progress: Progress, sums: Sums) -> tuple[Progress, Sums]:
            by_last, by_outputs = pull(by_logits / len(x))
            gradient = self._backward(progress, x, hidden, by_last, by_outputs)
            channels = self._network.channels(self._shape)
            gradient["parameters"] = tied(
                gradient["parameters"], scopes, functions, channels=channels
            )
            return one_kernel(self._step)(progress, gradient), sums._replace(loss=sums.loss + loss)

        def observe(progress: Progress, sums: Sums) -> tuple[Progress, Sums]:
            seen = _observed(loss, hits, hidden, present)
            return progress, Sums(*(a + b for a, b in zip(sums, seen, strict=True)))

        passed: tuple[Progress, Sums] = lax.cond(learning, learn, observe, *carried)
        return passed

    def _forward(self, functions: Array, progress: Progress, x: Array) -> Activated:
        """All hidden layers; the result's arrays have the layer as their first axis."""
        layers, parameters = progress["layers"], progress["parameters"]
        shape = (len(x), self._units)

        def linear(number: int, outputs: Array) -> Array:
            return self._apply(number, layers[number], outputs if number else x)

        choices = [lambda a, n=n: linear(n, a) for n in range(self._layers)]

        def pass_layer(number: Array, carried: tuple[Array, Activated]) -> tuple[Array, Activated]:
            outputs, seen = carried
            z = lax.switch(number, choices, outputs)
            activated = self._activations.layer(number, functions, z, _at(parameters, number))
            return activated.value, Activated(
                *(
                    lax.dynamic_update_index_in_dim(kept, new, number, axis=0)
                    for kept, new in zip(seen, activated, strict=True)
                )
            )

        nothing = Activated.nothing(self._layers, *shape, slots=self._activations.slots)
        seen: Activated
        _, seen = lax.fori_loop(0, self._layers, pass_layer, (jnp.zeros(shape), nothing))
        return seen

    def _backward(
        self, progress: Progress, x: Array, hidden: Activated, by_last: Layer, by_outputs: Array
    ) -> dict[str, Any]:
        """Gradients of the layers and of every unit's trainable parameters."""
        by_layers, by_parameters = [by_last], []
        for number in reversed(range(self._layers)):
            by_parameters.append(jnp.sum(by_outputs * hidden.partials[number], axis=1))
            below = hidden.value[number - 1] if number else x
            _, pull = jax.vjp(
                lambda layer, a, n=number: self._apply(n, layer, a),
                progress["layers"][number],
                below,
            )
            by_layer, by_outputs = pull(by_outputs * hidden.slope[number])
            by_layers.append(by_layer)
        return {"layers": by_layers[::-1], "parameters": jnp.stack(by_parameters[::-1])}

    def _step(self, progress: Progress, gradient: dict[str, Any]) -> Progress:
        learnt = {name: progress[name] for name in gradient}
        updates, optimizer = self._optimizer.update(gradient, progress["optimizer"])
        return {**optax.apply_updates(learnt, updates), "optimizer": optimizer}

    def _apply(self, number: int, layer: Layer, inputs: Array) -> Array:
        return self._network.apply(number, layer, inputs, shape=self._shape)


class LaneStepper(Stepper):
    """Passes examples through many networks side by side, each in a lane of its own.

    One network is far too small to keep an accelerator busy.
    """

    def run_lanes(
        self,
        functions: Array,
        progress: Progress,
        scopes: Array,
        examples: Examples,
        sources: Array,
        scale: Array,
        count: Array,
        learning: Array,
    ) -> tuple[Progress, Sums]:
        """Makes `count` passes with each network.

        Args:
            functions: Number of each hidden layer's function [lanes, layers].
            progress: The states of the trainings, of which every array begins with the lanes.
            scopes: Of the trainable parameters [lanes, layers, slots].
            examples: Of each pass, from several sources: arrays [sources, passes, ...].
            sources: Which of them each lane sees [lanes].
            scale: Of the inputs.
            count: How many of the passes to make.
            learning: Whether to take a step each, or to sum up what `Sums` holds.

        Returns:
            As `run` does, for all lanes.
        """

        def make_pass(number: Array, carried: tuple[Progress, Sums]) -> tuple[Progress, Sums]:
            inputs, labels, present = (array[sources, number] for array in examples)
            x = inputs.astype(jnp.float32) * scale
            in_one_lane = partial(self._pass, learning=learning)
            passed: tuple[Progress, Sums] = jax.vmap(in_one_lane)(
                functions, carried, scopes, x, labels, present
            )
            return passed

        nothing = jax.tree.map(
            lambda sum_: jnp.broadcast_to(sum_, (len(sources), *sum_.shape)),
            Sums.nothing(self._layers, self._units),
        )
        done: tuple[Progress, Sums] = lax.fori_loop(0, count, make_pass, (progress, nothing))
        return done


def _at(array: Array, number: Array) -> Array:
    """array[number], which is in range: the check of it would be compiled, and run, as well."""
    chosen: Array = lax.dynamic_index_in_dim(array, number, keepdims=False)
    return chosen


def _cross_entropy(logits: Array, labels: Array, present: Array) -> tuple[Array, Array, Array]:
    """Of a batch: the loss, in nats, the hits, and the loss's gradient by the logits.

    Written out, since looking up the logit of a label would have a scatter for its gradient.

    Args:
        logits: [batch, classes].
        labels: [batch].
        present: Which of the examples count [batch].
    """
    is_label = labels[:, None] == jnp.arange(logits.shape[1])
    shifted = logits - jnp.max(logits, axis=1, keepdims=True)
    weights = jnp.exp(shifted)
    total = jnp.sum(weights, axis=1, keepdims=True)
    losses = jnp.log(total[:, 0]) - jnp.sum(jnp.where(is_label, shifted, 0.0), axis=1)
    hits = jnp.argmax(logits, axis=1) == labels
    # Summed up as one array: a sum less to compile.
    loss, hit = jnp.sum(jnp.where(present, jnp.stack([losses, hits]), 0.0), axis=1)
    return loss, hit, jnp.where(present[:, None], weights / total - is_label, 0.0)


def _observed(loss: Array, hits: Array, hidden: Activated, present: Array) -> Sums:
    weights = present.astype(jnp.float32)[:, None]
    steepness = jnp.abs(hidden.slope)

    def by_unit(seen: Array) -> Array:
        # A sum is one loop over what the layers left behind; a product with the weights would have
        # XLA lay out all of it anew, which took half of the validation.
        return jnp.sum(seen.astype(jnp.float32) * weights, axis=1)

    return Sums(
        loss,
        hits,
        by_unit(hidden.value).sum(axis=1),
        by_unit(jnp.abs(hidden.value) <= ZERO_OUTPUT).sum(axis=1),
        by_unit(steepness > 0),
        by_unit(steepness < FLAT_SLOPE),
    )
