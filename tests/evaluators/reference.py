"""Training as a textbook would write it: one candidate, automatic differentiation, one step a call.

It shares neither the forward nor the backward pass with the program under test; the random draws
and the order of the data are the same.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evaluators.networks import Moments
from evaluators.steps.batches import DeviceData, batches
from evaluators.steps.moments import mean_square
from evaluators.tasks import Task
from grammars import Activation, by_layer, to_jax


def train(
    activation: Activation, task: Task, data: DeviceData, *, seed: int, steps: int
) -> tuple[float, float, dict[str, Any]]:
    """Validation loss and accuracy after training, and what was learnt.

    A trainable parameter is one array of the very shape that its scope says.
    """
    network = task.network
    expressions = by_layer(activation, network.hidden_layers)
    layers = network.start(
        seed,
        shape=data.shape,
        classes=data.outputs,
        moments=Moments(data.mean_square, tuple(map(mean_square, expressions))),
        needed=data.needed,
    )
    functions = [to_jax(expression) for expression in expressions]
    channels = network.channels(data.shape)

    def start(parameter: Any) -> Any:
        value = np.float32(parameter.start)
        match parameter.per:
            case "network":
                return value
            case "layer":
                return [value for _ in channels]
            case _:
                return [np.full(count, value) for count in channels]

    def spread(value: Any, number: int, z: Any) -> Any:
        if not isinstance(value, list):
            return value
        own = jnp.atleast_1d(value[number])
        return jnp.tile(own, z.shape[1] // own.size)

    def logits(learnt: Any, x: Any) -> Any:
        for number, layer in enumerate(learnt["layers"]):
            z = network.apply_layer(number, layer, x, shape=data.shape)
            if number == network.hidden_layers:
                return z
            own = learnt["parameters"][str(expressions[number])]
            x = functions[number](z, {name: spread(v, number, z) for name, v in own.items()})
        raise AssertionError("the last layer gives the logits")

    def loss(learnt: Any, x: Any, labels: Any) -> Any:
        losses = optax.softmax_cross_entropy_with_integer_labels(logits(learnt, x), labels)
        return losses.mean()

    learnt = {
        "layers": layers,
        # A function has its parameters once, however many layers it is in.
        "parameters": {str(f): {p.name: start(p) for p in f.parameters} for f in expressions},
    }
    optimizer = optax.adam(task.recipe.learning_rate)
    state = optimizer.init(learnt)

    @jax.jit
    def step(learnt: Any, state: Any, x: Any, labels: Any) -> Any:
        updates, state = optimizer.update(jax.grad(loss)(learnt, x, labels), state)
        return optax.apply_updates(learnt, updates), state

    inputs = jnp.asarray(data.inputs, jnp.float32) * data.scale
    order = batches(seed, start=0, steps=steps, batch=task.recipe.batch, examples=data.training)
    for chosen in order:
        learnt, state = step(learnt, state, inputs[chosen], data.labels[chosen])
    x, labels = inputs[data.training :], data.labels[data.training :]
    accuracy = jnp.mean(jnp.argmax(logits(learnt, x), axis=1) == labels)
    return float(loss(learnt, x, labels)), float(accuracy), learnt
