"""A network on the data that it is trained on: its calls, and the weights it begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from evaluators.networks import UNKNOWN, AnyNetwork, Chain, Moments, OwnNetwork
from evaluators.steps.batches import DeviceData
from evaluators.steps.calls import Apply, trace


class NetworkError(ValueError):
    """A network cannot be trained on these data; the message says what to do."""


@dataclass(frozen=True)
class Fitted:
    """A network on the data that it is trained on.

    Attributes:
        units: Of the hidden layers of a chain that the written-out pass trains; None for the
            general pass.
        channels: Of each call of the activation: the length of the last axis.
        init: From a seed and moments to weights, a pytree of NumPy arrays.
        apply: From weights, a batch of inputs and an activation to outputs.
        inputs: Shape of one example, as `apply` takes it.
    """

    units: int | None
    channels: tuple[int, ...]
    init: Callable[[int, Moments], Any]
    apply: Apply
    inputs: tuple[int, ...]

    @property
    def calls(self) -> int:
        """How many times the activation is called."""
        return len(self.channels)

    @property
    def copies(self) -> int:
        """Of a trainable parameter in each call, of which those that a call lacks stay unused."""
        return self.units or max(self.channels)


def fitted(network: AnyNetwork, data: DeviceData) -> Fitted:
    """A network on data.

    Raises:
        NetworkError: If it cannot be trained on them.
        UserCodeError: If a network of a user's own raises.
    """
    if isinstance(network, Chain):
        inputs = data.shape if data.needed is None else data.needed.shape
        return _chain(network, data, inputs)

    if isinstance(network, OwnNetwork):
        return _own(network, data)

    def init(seed: int, moments: Moments) -> Any:
        return network.init(seed, shape=data.shape, outputs=data.outputs, moments=moments)

    channels = examined(network.apply, init(0, UNKNOWN), data.shape, data.outputs)
    return Fitted(None, channels, init, network.apply, data.shape)


def examined(
    apply: Apply, weights: Any, shape: tuple[int, ...], outputs: int, *, batch: int = 8
) -> tuple[int, ...]:
    """Channels of each call of a network's activation, seen by tracing it.

    Args:
        apply: The network.
        weights: What it is given.
        shape: Of an example.
        outputs: That there should be.
        batch: Examples with which to try it.

    Raises:
        NetworkError: If its outputs have another shape than [batch, outputs], or it never calls its
            activation.
    """
    inputs = jax.ShapeDtypeStruct((batch, *shape), jnp.float32)  # type: ignore[no-untyped-call]
    traced = trace(apply, weights, inputs)
    results = [aval.shape for aval in traced.program.out_avals]
    if results != [(batch, outputs)]:
        arrived = ", ".join(str(list(each)) for each in results) or "nothing"
        raise NetworkError(
            f"the network must return one array of shape [{batch}, {outputs}] for {batch} examples "
            f"of shape {list(shape)}, got {arrived}"
        )
    if not traced.calls:
        raise NetworkError(
            "the network never calls the activation that it is given, so that there is nothing to "
            "search; call activate(z) where its nonlinearity belongs"
        )
    return tuple(call.channels for call in traced.calls)


def _own(network: OwnNetwork, data: DeviceData) -> Fitted:
    pair = network.made(data.shape, data.outputs)
    weights = pair.init(0, UNKNOWN)
    try:
        channels = examined(pair.apply, weights, data.shape, data.outputs)
        if network.calls not in (None, len(channels)):
            raise NetworkError(
                f"the network calls its activation {len(channels)} times, and network.calls is "
                f"{network.calls}; set it to that, or leave it out"
            )
    except NetworkError as error:
        raise NetworkError(f"{network.function.place}: {error}") from None
    return Fitted(None, channels, pair.init, pair.apply, data.shape)


def _chain(network: Chain, data: DeviceData, inputs: tuple[int, ...]) -> Fitted:
    channels = network.channels(data.shape)

    def init(seed: int, moments: Moments) -> Any:
        return network.start(
            seed, shape=data.shape, classes=data.outputs, moments=moments, needed=data.needed
        )

    def apply(layers: Any, x: Any, activate: Callable[[Any], Any]) -> Any:
        outputs = x.reshape(len(x), -1)
        for number, layer in enumerate(layers[:-1]):
            z = network.apply_layer(number, layer, outputs, shape=data.shape)
            outputs = activate(z.reshape(len(z), -1, channels[number])).reshape(z.shape)
        return network.apply_layer(len(channels), layers[-1], outputs, shape=data.shape)

    return Fitted(network.units(data.shape), channels, init, apply, inputs)
