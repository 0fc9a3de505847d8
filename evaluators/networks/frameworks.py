"""Networks written in Flax or Equinox, as the pairs of functions that are trained here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

_Pair = tuple[Callable[..., Any], Callable[..., Any]]
Made = Callable[[tuple[int, ...], int], _Pair]
"""What `OwnNetwork.function` is."""


def equinox_network(make: Callable[..., Any]) -> Made:
    """A network from an Equinox module, which takes a single example.

    It learns as it is and is judged as `equinox.nn.inference_mode` has it. What it takes beside the
    example by these names it is told: `key`, another for each example, and None when it is judged;
    `state`, if it has one, which it gives back beside its outputs; and `training`, `train`,
    `inference` or `deterministic`. Examples are mapped over under the axis "batch". Its arrays of
    floating numbers are trained; other arrays that it draws from its key, such as masks, are of
    each seed's own and stay as they are.

    Args:
        make: Of the activation and, as Equinox has it, of `key`, to a module; or to a module and
            its state, as `equinox.nn.make_with_state` does.

    Returns:
        What a task file names: `network = equinox_network(lambda activate, key: Model(...))`.
    """
    # Its code is part of the identities of campaigns: what is new goes into what it is given.
    make = _with_what_it_draws(make)

    def made(shape: tuple[int, ...], outputs: int) -> _Pair:
        import equinox
        import jax

        def parts(seed: int, activate: Callable[[Any], Any]) -> tuple[Any, Any, Any]:
            module = make(activate, key=jax.random.key(seed))
            module, state = module if isinstance(module, tuple) else (module, None)
            return *equinox.partition(module, equinox.is_inexact_array), state

        def init(seed: int) -> Any:
            arrays, _, state = parts(seed, _unchanged)
            return jax.tree.leaves(arrays), jax.tree.leaves(state)

        def apply(
            weights: Any,
            inputs: Any,
            activate: Callable[[Any], Any],
            *,
            state: Any,
            training: bool,
            key: Any,
        ) -> Any:
            arrays, rest, begun = parts(0, activate)
            form = jax.tree.structure(arrays)
            module = equinox.combine(jax.tree.unflatten(form, weights), rest)
            module = module if training else equinox.nn.inference_mode(module)
            takes, told = _told(type(module).__call__, training=training)

            def of_one(x: Any, state: Any, key: Any) -> Any:
                drawn = {"key": key} if "key" in takes else {}
                if begun is None:
                    return module(x, **drawn, **told), state
                return module(x, state=state, **drawn, **told)

            before = jax.tree.unflatten(jax.tree.structure(begun), state)
            keys = None if key is None else jax.random.split(key, len(inputs))
            axes = (0, None, None if keys is None else 0)
            over_batch = jax.vmap(of_one, in_axes=axes, out_axes=(0, None), axis_name="batch")
            found, after = over_batch(inputs, before, keys)
            return found, jax.tree.leaves(after)

        return init, apply

    return made


def _with_what_it_draws(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same, or what gives arrays that are drawn and not trained as a part of a state."""
    try:
        from evaluators.networks.drawing import drawing, numbers_of_drawn

        numbers = numbers_of_drawn(make)
    except Exception:  # it is told with its file and line where the network is tried
        return make
    return functools.partial(drawing, make, numbers) if numbers else make


def flax_network(make: Callable[..., Any]) -> Made:
    """A network from a Flax module, NNX or Linen, which takes a batch.

    `nnx.Param` or "params" is trained. All else that a module keeps, such as the moving averages of
    batch normalisation, is what it leaves of it in each step. Random numbers, such as those of
    dropout, are drawn anew in each. An NNX module learns as `train()` has it and is judged as
    `eval()` has it; one that takes `train`, `training`, `deterministic` or `use_running_average` is
    told.

    Args:
        make: Of the activation to a module; and of `rngs`, where it takes them, as NNX does.

    Returns:
        What a task file names: `network = flax_network(lambda activate, rngs: Model(...))`.
    """
    # Its code is part of the identities of campaigns: what is new goes into what it is given.
    if _is_part_that_takes_rngs(make):
        make = functools.partial(_with_rngs, make)

    def made(shape: tuple[int, ...], outputs: int) -> _Pair:
        from flax import linen

        # The signature of a module's class says nothing: its metaclass takes whatever comes.
        classes = make.__mro__ if isinstance(make, type) else ()
        called: Any = next((vars(c)["__init__"] for c in classes if "__init__" in vars(c)), make)
        takes_rngs = "rngs" in inspect.signature(called).parameters
        is_linen = not takes_rngs and isinstance(make(_unchanged), linen.Module)
        return _of_linen(make, shape) if is_linen else _of_nnx(make, takes_rngs=takes_rngs)

    return made


def _is_part_that_takes_rngs(make: Callable[..., Any]) -> bool:
    """Whether it is a class with some of its arguments: its signature does not tell of `rngs`."""
    called: Any = make
    bound: set[str] = set()
    while isinstance(called, functools.partial):
        called, bound = called.func, bound | called.keywords.keys()
    if called is make or not isinstance(called, type):
        return False
    init = next(vars(c)["__init__"] for c in called.__mro__ if "__init__" in vars(c))
    return "rngs" in inspect.signature(init).parameters.keys() - bound


def _with_rngs(make: Callable[..., Any], activate: Callable[[Any], Any], *, rngs: Any) -> Any:
    return make(activate, rngs=rngs)


def _of_linen(make: Callable[..., Any], shape: tuple[int, ...]) -> _Pair:
    import jax
    import jax.numpy as jnp

    def variables(seed: int) -> tuple[Any, Any]:
        # With another activation: this call is none of the network's.
        module = make(_unchanged)
        _, told = _told(type(module).__call__, training=False)
        begun = dict(module.init(jax.random.key(seed), jnp.zeros((1, *shape)), **told))
        return begun.pop("params"), begun

    def init(seed: int) -> Any:
        weights, state = variables(seed)
        return jax.tree.leaves(weights), jax.tree.leaves(state)

    def apply(
        weights: Any,
        inputs: Any,
        activate: Callable[[Any], Any],
        *,
        state: Any,
        training: bool,
        key: Any,
    ) -> Any:
        module = make(activate)
        trained, kept = (
            jax.tree.unflatten(jax.tree.structure(begun), leaves)
            for begun, leaves in zip(variables(0), (weights, state), strict=True)
        )
        _, told = _told(type(module).__call__, training=training)
        given = {**kept, "params": trained}
        if not training:
            return module.apply(given, inputs, **told), state
        outputs, after = module.apply(given, inputs, **told, rngs=key, mutable=list(kept))
        return outputs, jax.tree.leaves({**kept, **after})

    return init, apply


def _of_nnx(make: Callable[..., Any], *, takes_rngs: bool) -> _Pair:
    import jax
    from flax import nnx

    def module(seed: int, activate: Callable[[Any], Any]) -> Any:
        return make(activate, rngs=nnx.Rngs(seed)) if takes_rngs else make(activate)

    def parts(module: Any) -> Any:
        return nnx.split(module, nnx.Param, nnx.RngState, ...)

    def init(seed: int) -> Any:
        _, weights, _, state = parts(module(seed, _unchanged))
        return jax.tree.leaves(weights), jax.tree.leaves(state)

    def apply(
        weights: Any,
        inputs: Any,
        activate: Callable[[Any], Any],
        *,
        state: Any,
        training: bool,
        key: Any,
    ) -> Any:
        definition, trained, random, kept = parts(module(0, activate))
        network = nnx.merge(
            definition,
            jax.tree.unflatten(jax.tree.structure(trained), weights),
            _redrawn(random, key) if training else random,
            jax.tree.unflatten(jax.tree.structure(kept), state),
        )
        (network.train if training else network.eval)()
        _, told = _told(type(network).__call__, training=training)
        outputs = network(inputs, **told)
        return outputs, jax.tree.leaves(parts(network)[-1])

    return init, apply


def _redrawn(random: Any, key: Any) -> Any:
    """The state of random numbers, with each of its keys drawn from this one."""
    import jax

    leaves, form = jax.tree.flatten(random)
    drawn = [
        jax.random.split(jax.random.fold_in(key, number), leaf.shape)
        if jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        else leaf
        for number, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(form, drawn)


def _told(call: Callable[..., Any], *, training: bool) -> tuple[frozenset[str], dict[str, bool]]:
    """What a module's call takes by name, and what of it says whether the module is to learn."""
    takes = frozenset(inspect.signature(call).parameters)
    says = dict.fromkeys(("train", "training", "is_training"), training)
    says |= dict.fromkeys(("deterministic", "inference", "use_running_average"), not training)
    return takes, {name: value for name, value in says.items() if name in takes}


def _unchanged(z: Any) -> Any:
    return z
