"""A network on the data that it is trained on: its calls, and the weights it begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import jax
import jax.numpy as jnp

from evaluators.networks import UNKNOWN, AnyNetwork, Chain, Moments, OwnNetwork
from evaluators.steps.batches import KEY_SHAPE, DeviceData
from evaluators.steps.calls import Apply, Traced, is_same, takes_slope, trace

# Examples with which a network is tried.
_TRIED: Final = 8


class NetworkError(ValueError):
    """A network cannot be trained on these data; the message says what to do."""


@dataclass(frozen=True)
class Fitted:
    """A network on the data that it is trained on.

    Attributes:
        units: Of the hidden layers of a chain that the written-out pass trains; None for the
            general pass.
        channels: Of each call of the activation: the length of the last axis.
        init: From a seed and moments to weights and state, pytrees of NumPy arrays.
        apply: As it learns.
        judged: As it is judged, where that is something else, as with dropout.
        inputs: Shape of one example, as `apply` takes it.
    """

    units: int | None
    channels: tuple[int, ...]
    init: Callable[[int, Moments], tuple[Any, Any]]
    apply: Apply
    inputs: tuple[int, ...]
    judged: Apply | None = None

    @property
    def calls(self) -> int:
        """How many times the activation is called."""
        return len(self.channels)

    @property
    def copies(self) -> int:
        """Of a trainable parameter in each call, of which those that a call lacks stay unused."""
        return self.units or max(self.channels)

    def seen(self, batch: int) -> tuple[Any, Any]:
        """Shapes and types of what it sees: inputs, and the data of a key if it is told of one."""
        shaped: Callable[..., Any] = jax.ShapeDtypeStruct
        key = None if self.judged is None else shaped(KEY_SHAPE, jnp.uint32)
        return shaped((batch, *self.inputs), jnp.float32), key


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

    def init(seed: int, moments: Moments) -> tuple[Any, Any]:
        shape, outputs = data.shape, data.outputs
        return network.init(seed, shape=shape, outputs=outputs, moments=moments), ()

    found = Fitted(None, (), init, _told_nothing(network.apply), data.shape)
    return replace(found, channels=_channels(_examined(found, found.apply, data)))


def _told_nothing(apply: Callable[..., Any]) -> Apply:
    """What learns as it is judged, and remembers nothing."""

    def applied(made_of: Any, seen: Any, activate: Callable[[Any], Any]) -> tuple[Any, Any]:
        return apply(made_of[0], seen[0], activate), ()

    return applied


def _examined(found: Fitted, apply: Apply, data: DeviceData) -> Traced:
    """A network, traced.

    Args:
        found: The network.
        apply: One of its ways to compute.
        data: That it is for.

    Raises:
        NetworkError: If its outputs have another shape than [batch, *places, outputs], or it never
            calls its activation, or differentiates through it.
    """
    made_of, batch = found.init(0, UNKNOWN), _TRIED
    traced = trace(apply, made_of, found.seen(batch))
    remembered = len(jax.tree.leaves(made_of[1]))
    avals = traced.program.out_avals
    results = [aval.shape for aval in avals[: len(avals) - remembered]]
    wanted = (batch, *data.places, data.outputs)
    if results != [wanted]:
        arrived = ", ".join(str(list(each)) for each in results) or "nothing"
        raise NetworkError(
            f"the network must return one array of shape {list(wanted)} for {batch} examples "
            f"of shape {list(found.inputs)}{_because_of(data)}, got {arrived}"
        )
    if takes_slope(traced.program.jaxpr):
        raise NetworkError(
            "the network takes a derivative through its activation, and training would need the "
            "second, which is not supported; make it an objective of your own, with "
            "framework = 'jax'"
        )
    if not traced.calls:
        raise NetworkError(
            "the network never calls the activation that it is given, so that there is nothing to "
            "search; call activate(z) where its nonlinearity belongs"
        )
    return traced


def _because_of(data: DeviceData) -> str:
    if not data.places:
        return ""
    return (
        f", since each has a label for each of its places, {list(data.places)} (for one-hot labels "
        'give their argmax, for targets that are numbers set data.targets to "numbers")'
    )


def _channels(traced: Traced) -> tuple[int, ...]:
    return tuple(call.channels for call in traced.calls)


def _own(network: OwnNetwork, data: DeviceData) -> Fitted:
    pair = network.made(data.shape, data.outputs)
    learning, judged = (partial(pair.apply, training=training) for training in (True, False))
    found = Fitted(None, (), pair.init, learning, data.shape, judged if pair.told else None)
    try:
        traced = _examined(found, learning, data)
        if found.judged is not None:
            found = _with_modes(found, found.judged, traced, data)
        if network.calls not in (None, len(traced.calls)):
            raise NetworkError(
                f"the network calls its activation {len(traced.calls)} times, and network.calls is "
                f"{network.calls}; set it to that, or leave it out"
            )
    except NetworkError as error:
        raise NetworkError(f"{network.function.place}: {error}") from None
    return replace(found, channels=_channels(traced))


def _with_modes(found: Fitted, judged: Apply, learning: Traced, data: DeviceData) -> Fitted:
    """The network, which may be told whether it learns, with one way to compute if it is the same.

    Raises:
        NetworkError: If its outputs have another shape, or it calls its activation elsewhere, when
            it is judged.
    """
    traced = _examined(found, judged, data)
    places = [[(call.shape, call.number) for call in each.calls] for each in (learning, traced)]
    if places[0] != places[1]:
        raise NetworkError(
            "the network must call its activation at the same places, on arrays of the same shape, "
            f"when it learns and when it is judged: {_calls(learning)} and {_calls(traced)}"
        )
    if not is_same(learning, traced):
        return found
    # Without a key that nobody reads; a state, if there is one, comes out as it went in.
    return replace(found, apply=judged, judged=None)


def _calls(traced: Traced) -> str:
    return ", ".join(str(list(call.shape)) for call in traced.calls)


def _chain(network: Chain, data: DeviceData, inputs: tuple[int, ...]) -> Fitted:
    channels = network.channels(data.shape)
    if data.places:
        raise NetworkError(
            f"the network gives an example outputs of shape [{data.outputs}], and outputs of shape "
            f"{[*data.places, data.outputs]} are wanted{_because_of(data)}; give it a network of "
            "your own"
        )

    def init(seed: int, moments: Moments) -> tuple[Any, Any]:
        layers = network.start(
            seed, shape=data.shape, classes=data.outputs, moments=moments, needed=data.needed
        )
        return layers, ()

    def apply(layers: Any, x: Any, activate: Callable[[Any], Any]) -> Any:
        outputs = x.reshape(len(x), -1)
        for number, layer in enumerate(layers[:-1]):
            z = network.apply_layer(number, layer, outputs, shape=data.shape)
            outputs = activate(z.reshape(len(z), -1, channels[number])).reshape(z.shape)
        return network.apply_layer(len(channels), layers[-1], outputs, shape=data.shape)

    return Fitted(network.units(data.shape), channels, init, _told_nothing(apply), inputs)
