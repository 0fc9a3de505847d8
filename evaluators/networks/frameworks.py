"""Networks written in Flax or Equinox, as the pairs of functions that are trained here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

Made = Callable[[tuple[int, ...], int], tuple[Callable[..., Any], Callable[..., Any]]]
"""What `OwnNetwork.function` is."""


def equinox_network(make: Callable[..., Any]) -> Made:
    """A network from an Equinox module, which takes a single example.

    Args:
        make: Of the activation and, as Equinox has it, of `key`, to a module.

    Returns:
        What a task file names: `network = equinox_network(lambda activate, key: Model(...))`.
    """

    def made(shape: tuple[int, ...], outputs: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        import equinox
        import jax

        def parts(seed: int, activate: Callable[[Any], Any]) -> tuple[Any, Any]:
            module = make(activate, key=jax.random.key(seed))
            return equinox.partition(module, equinox.is_inexact_array)

        def init(seed: int) -> Any:
            return jax.tree.leaves(parts(seed, _unchanged)[0])

        def apply(weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
            arrays, rest = parts(0, activate)
            form = jax.tree.structure(arrays)
            module = equinox.combine(jax.tree.unflatten(form, weights), rest)
            return jax.vmap(module)(inputs)

        return init, apply

    return made


def flax_network(make: Callable[..., Any]) -> Made:
    """A network from a Flax module, NNX or Linen, which takes a batch.

    Of what a module keeps, `nnx.Param` or "params" is trained; all else is as it begins.

    Args:
        make: Of the activation to a module; and of `rngs`, where it takes them, as NNX does.

    Returns:
        What a task file names: `network = flax_network(lambda activate, rngs: Model(...))`.
    """

    def made(shape: tuple[int, ...], outputs: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        import jax
        import jax.numpy as jnp
        from flax import linen, nnx

        # The signature of a module's class says nothing: its metaclass takes whatever comes.
        classes = make.__mro__ if isinstance(make, type) else ()
        called: Any = next((vars(c)["__init__"] for c in classes if "__init__" in vars(c)), make)
        takes_rngs = "rngs" in inspect.signature(called).parameters

        def module(seed: int, activate: Callable[[Any], Any]) -> Any:
            return make(activate, rngs=nnx.Rngs(seed)) if takes_rngs else make(activate)

        def init(seed: int) -> Any:
            begun = module(seed, _unchanged)
            if isinstance(begun, linen.Module):
                variables = begun.init(jax.random.key(seed), jnp.zeros((1, *shape)))
                return jax.tree.leaves(variables["params"])
            return jax.tree.leaves(nnx.state(begun, nnx.Param))

        def apply(weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
            begun = module(0, activate)
            if isinstance(begun, linen.Module):
                # With another activation: this call is none of the network's.
                shaped = module(0, _unchanged)
                variables = shaped.init(jax.random.key(0), jnp.zeros((1, *shape)))
                form = jax.tree.structure(variables["params"])
                trained = jax.tree.unflatten(form, weights)
                return begun.apply({**variables, "params": trained}, inputs)
            definition, parameters, rest = nnx.split(begun, nnx.Param, ...)
            trained = jax.tree.unflatten(jax.tree.structure(parameters), weights)
            return nnx.merge(definition, trained, rest)(inputs)

        return init, apply

    return made


def _unchanged(z: Any) -> Any:
    return z
