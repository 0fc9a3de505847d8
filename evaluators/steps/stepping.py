"""One pass of a batch of examples through a network: the computation that XLA compiles."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from evaluators.networks import Chain, Layer
from evaluators.recipes.losses import Summed, fits_in_a_kernel
from evaluators.steps.activations import (
    Activated,
    Activations,
    LaneActivations,
    slope_of,
    tied,
    value_of,
)
from evaluators.steps.batches import Examples
from evaluators.steps.compiling import one_kernel
from evaluators.steps.optimizers import Optimizer
from evaluators.steps.progress import (
    FLAT_SLOPE,
    ZERO_OUTPUT,
    Learnt,
    Mode,
    Progress,
    Sums,
    UnitSums,
)

_T = TypeVar("_T")


class _Carried(NamedTuple):
    """What one pass hands to the next.

    The last two are nothing but memory; clearing it anew would take a fiftieth of a pass.

    Attributes:
        progress: See there.
        sums: See there.
        outputs: Of the last hidden layer [batch, units].
        hidden: All hidden layers; its arrays have the layer as their first axis.
    """

    progress: Progress
    sums: Sums
    outputs: Array
    hidden: Activated


class Stepper:
    """Passes examples forward, and back where the network is to learn.

    The backward pass is written out instead of left to automatic differentiation: so the
    activation, the only part that is compiled anew for every candidate, occurs in one place, for
    all layers, for training and validation alike.
    """

    def __init__(
        self,
        network: Chain,
        activations: Activations | LaneActivations,
        optimizer: Optimizer,
        *,
        loss: Summed,
        shape: tuple[int, ...],
    ) -> None:
        self._network, self._activations, self._optimizer = network, activations, optimizer
        self._loss, self._shape = loss, shape
        units = network.units(shape)
        if units is None:
            raise ValueError("the written-out pass takes hidden layers with equal units only")
        self._layers, self._units = network.hidden_layers, units

    def run(
        self,
        functions: Array,
        progress: Progress,
        scopes: Array,
        examples: Examples,
        scale: Array,
        rates: Array,
        span: Array,
        mode: Array,
    ) -> tuple[Progress, Sums]:
        """Makes the passes of a span.

        Args:
            functions: Number of each hidden layer's function [layers].
            progress: The state of the training.
            scopes: Of the trainable parameters [layers, slots].
            examples: Of each pass.
            scale: Of the inputs.
            rates: Learning rate of each pass.
            span: Number of the first of the passes to make, and of the first not to [2].
            mode: A `Mode`.

        Returns:
            The new state, and the sums; those of units are 0 but for observed passes.
        """

        def make_pass(number: Array, carried: _Carried) -> _Carried:
            seen = one_kernel(shown)(examples, number, scale)
            return self._pass(functions, carried, scopes, *seen, _at(rates, number), mode=mode)

        batch = examples.present.shape[-1]
        nothing = one_kernel(partial(self._nothing, batch))()
        done = lax.fori_loop(span[0], span[1], make_pass, _Carried(progress, *nothing))
        return done.progress, done.sums

    def totals(self, sums: Sums) -> dict[str, Any]:
        """See `Sums.totals`."""
        return sums.totals()

    @property
    def units(self) -> tuple[int, ...]:
        """Of each hidden layer."""
        return (self._units,) * self._layers

    def gradient_norms(self, gradient: Learnt) -> tuple[float, ...]:
        """Of each layer's weights, the logits' layer last."""
        # Of gradients beyond float32 no figure is kept, which is no news for the terminal.
        with np.errstate(over="ignore"):
            return tuple(float(np.linalg.norm(layer.weights)) for layer in gradient.weights)

    def _nothing(self, batch: int) -> tuple[Sums, Array, Activated]:
        """What is carried, beside the progress, before the first pass."""
        return (
            Sums.nothing(self._layers, batch, self._units),
            jnp.zeros((batch, self._units)),
            Activated.nothing(self._layers, batch, self._units, slots=self._activations.slots),
        )

    def _pass(
        self,
        functions: Array,
        carried: _Carried,
        scopes: Array,
        x: Array,
        labels: Array,
        present: Array,
        rate: Array,
        *,
        mode: Array,
    ) -> _Carried:
        outputs, hidden = self._forward(functions, carried, x)

        before, sums = carried.progress, carried.sums
        last = before.learnt.weights[-1]
        logits, pull = jax.vjp(partial(self._apply, self._layers), last, outputs)
        summed = one_kernel(self._loss) if fits_in_a_kernel(self._loss, logits) else self._loss
        loss, hits, by_logits = summed(sums.loss, sums.hits, logits, labels, present)

        def differentiate(progress: Progress) -> Progress:
            by_last, by_outputs = pull(by_logits)
            gradient = self._backward(progress, x, hidden, by_last, by_outputs)
            channels = self._network.channels(self._shape)
            parameters = tied(gradient.parameters, scopes, functions, channels=channels)
            gradient = gradient._replace(parameters=parameters)
            stepped = lax.cond(
                mode == Mode.LEARN,
                lambda p: p.stepped(self._optimizer, gradient=gradient, rate=rate),
                unchanged,
                progress,
            )
            learnt = lax.cond(mode == Mode.MEASURE, lambda _: gradient, unchanged, stepped.learnt)
            after: Progress = stepped._replace(learnt=learnt)
            return after

        def observe(units: UnitSums) -> UnitSums:
            return one_kernel(_observed)(units, hidden.pair, present)

        # Choices each of something or nothing: of one between two things, XLA would have one
        # copy what only the other changes.
        after: Progress = lax.cond(mode != Mode.OBSERVE, differentiate, unchanged, before)
        units: UnitSums = lax.cond(mode == Mode.OBSERVE, observe, unchanged, sums.units)
        return _Carried(after, Sums(loss, hits, units), outputs, hidden)

    def _forward(self, functions: Array, carried: _Carried, x: Array) -> tuple[Array, Activated]:
        """The last hidden layer's outputs, and all hidden layers."""
        layers, parameters = carried.progress.learnt

        def linear(number: int, outputs: Array) -> Array:
            return self._apply(number, layers[number], outputs if number else x)

        choices = [lambda a, n=n: linear(n, a) for n in range(self._layers)]
        # Beside a single layer there is nothing to note it in, and a kernel needs its arguments.
        note = _noted if self._layers == 1 else one_kernel(_noted)

        def pass_layer(number: Array, carried: tuple[Array, Activated]) -> tuple[Array, Activated]:
            outputs, seen = carried
            z = lax.switch(number, choices, outputs)
            activated = self._activations.layer(number, functions, z, _at(parameters, number))
            return note(seen, activated, number)

        before = carried.outputs, carried.hidden
        passed: tuple[Array, Activated] = lax.fori_loop(0, self._layers, pass_layer, before)
        return passed

    def _backward(
        self, progress: Progress, x: Array, hidden: Activated, by_last: Layer, by_outputs: Array
    ) -> Learnt:
        """Gradients by the layers and by every unit's trainable parameters."""
        by_layers, by_parameters = [by_last], []
        for number in reversed(range(self._layers)):
            by_parameters.append(_by_slot(by_outputs, hidden.partials[number]))
            below = hidden.value[number - 1] if number else x
            _, pull = jax.vjp(
                lambda layer, a, n=number: self._apply(n, layer, a),
                progress.learnt.weights[number],
                below,
            )
            by_z = one_kernel(partial(_through, number))(by_outputs, hidden.pair)
            by_layer, by_outputs = pull(by_z)
            by_layers.append(by_layer)
        return Learnt(by_layers[::-1], jnp.stack(by_parameters[::-1]))

    def _apply(self, number: int, layer: Layer, inputs: Array) -> Array:
        return self._network.apply_layer(number, layer, inputs, shape=self._shape)


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
        rates: Array,
        span: Array,
        mode: Array,
    ) -> tuple[Progress, Sums]:
        """Makes the passes of a span with each network.

        Args:
            functions: Number of each hidden layer's function [lanes, layers].
            progress: The states of the trainings, of which every array begins with the lanes.
            scopes: Of the trainable parameters [lanes, layers, slots].
            examples: Of each pass, from several sources: arrays [sources, passes, ...].
            sources: Which of them each lane sees [lanes].
            scale: Of the inputs.
            rates: Learning rate of each pass.
            span: As for `run`.
            mode: A `Mode`.

        Returns:
            As `run` does, for all lanes.
        """

        def make_pass(number: Array, carried: _Carried) -> _Carried:
            inputs, labels, present = (array[sources, number] for array in examples)
            x = inputs.astype(jnp.float32) * scale
            in_one_lane = partial(self._pass, rate=_at(rates, number), mode=mode)
            passed: _Carried = jax.vmap(in_one_lane)(functions, carried, scopes, x, labels, present)
            return passed

        batch = examples.present.shape[-1]
        nothing = jax.tree.map(
            lambda array: jnp.broadcast_to(array, (len(sources), *array.shape)),
            self._nothing(batch),
        )
        done = lax.fori_loop(span[0], span[1], make_pass, _Carried(progress, *nothing))
        return done.progress, done.sums


def _at(array: Array, number: Array) -> Array:
    """array[number], which is in range: the check of it would be compiled, and run, as well."""
    chosen: Array = lax.dynamic_index_in_dim(array, number, keepdims=False)
    return chosen


def unchanged(carried: _T) -> _T:
    return carried


def shown(examples: Examples, number: Array, scale: Array) -> tuple[Array, Array, Array]:
    """What a pass sees: inputs, labels, and which of the examples count."""
    inputs, labels, present = (_at(array, number) for array in examples)
    return inputs.astype(jnp.float32) * scale, labels, present


def _noted(seen: Activated, activated: Activated, number: Array) -> tuple[Array, Activated]:
    """A hidden layer's outputs, and all layers with it among them."""
    layers = [
        lax.dynamic_update_index_in_dim(kept, new, number, axis=0)
        for kept, new in zip(seen, activated, strict=True)
    ]
    return activated.value, Activated(*layers)


def _by_slot(by_outputs: Array, partials: Array) -> Array:
    """Gradients by each unit's copy of the trainable parameters [slots, units]; see `tied`."""
    sums = [jnp.sum(by_outputs * partial_, axis=0) for partial_ in partials]
    return jnp.stack(sums) if sums else jnp.zeros((0, by_outputs.shape[1]))


def _through(layer: int, by_outputs: Array, pair: Array) -> Array:
    """Gradients by a hidden layer's outputs, through its activation; see `Activated`."""
    return by_outputs * slope_of(pair[layer])


def _observed(sums: UnitSums, pair: Array, present: Array) -> UnitSums:
    """Adds a pass to the sums; see `Activated` and `Examples`."""
    value, steepness = value_of(pair), jnp.abs(slope_of(pair))
    seen = UnitSums(value, jnp.abs(value) <= ZERO_OUTPUT, steepness > 0, steepness < FLAT_SLOPE)
    return UnitSums(
        *(
            total + jnp.where(present[:, None], new.astype(jnp.float32), 0.0)
            for total, new in zip(sums, seen, strict=True)
        )
    )
