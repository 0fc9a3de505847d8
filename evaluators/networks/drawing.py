"""Equinox modules with arrays that are drawn and not trained, such as a mask or a permutation.

Another seed has others, as it has other weights: they are a part of what a network remembers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox
import jax
from jax.interpreters.partial_eval import dce_jaxpr

from evaluators.networks import frameworks


class _Drawing(equinox.Module):
    """A module whose drawn arrays are told with its state.

    Attributes:
        module: Of a user's own.
        numbers: See `numbers_of_drawn`.
        has_state: Whether the module itself takes one.
    """

    module: Any
    numbers: tuple[int, ...] = equinox.field(static=True)
    has_state: bool = equinox.field(static=True)

    def __call__(self, x: Any, *, state: Any, key: Any, training: bool) -> Any:
        own, drawn = state
        trained, kept = equinox.partition(self.module, equinox.is_inexact_array)
        leaves, form = jax.tree.flatten(kept)
        for number, plain in zip(self.numbers, drawn, strict=True):
            leaves[number] = _as_drawn(plain, like=leaves[number])
        module = equinox.combine(trained, jax.tree.unflatten(form, leaves))
        takes, told = frameworks._told(type(module).__call__, training=training)
        if "key" in takes:
            told["key"] = key
        if not self.has_state:
            return module(x, **told), state
        outputs, own = module(x, state=own, **told)
        return outputs, (own, drawn)


def drawing(
    make: Callable[..., Any], numbers: tuple[int, ...], activate: Callable[[Any], Any], *, key: Any
) -> tuple[Any, Any]:
    """A module and its state, of which the arrays that were drawn are a part."""
    module, state = _made(make, activate, key)
    leaves = _not_trained(module)
    drawn = [_plain(leaves[number]) for number in numbers]
    return _Drawing(module, numbers, state is not None), (state, drawn)


def numbers_of_drawn(make: Callable[..., Any]) -> tuple[int, ...]:
    """Which leaves of a module that are not trained are arrays that depend on its random key.

    Args:
        make: See `equinox_network`.

    Raises:
        Exception: Of whatever kind, if it cannot be called.
    """
    arrays: list[int] = []

    def drawn_from(key: Any) -> list[Any]:
        leaves = _not_trained(_made(make, _unchanged, key)[0])
        arrays[:] = [number for number, leaf in enumerate(leaves) if equinox.is_array(leaf)]
        return [leaves[number] for number in arrays]

    program = jax.make_jaxpr(drawn_from)(jax.eval_shape(lambda: jax.random.key(0))).jaxpr

    def depends(which: int) -> bool:
        _, used = dce_jaxpr(program, [which == each for each in range(len(arrays))])
        return any(used)

    return tuple(number for which, number in enumerate(arrays) if depends(which))


def _made(make: Callable[..., Any], activate: Callable[[Any], Any], key: Any) -> tuple[Any, Any]:
    made = make(activate, key=key)
    return made if isinstance(made, tuple) else (made, None)


def _not_trained(module: Any) -> list[Any]:
    return jax.tree.leaves(equinox.filter(module, equinox.is_inexact_array, inverse=True))


def _plain(array: Any) -> Any:
    """An array as a state can hold it, which random keys are not."""
    is_key = jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(array) if is_key else array


def _as_drawn(plain: Any, *, like: Any) -> Any:
    is_key = jax.numpy.issubdtype(like.dtype, jax.dtypes.prng_key)
    return jax.random.wrap_key_data(plain, impl=jax.random.key_impl(like)) if is_key else plain


def _unchanged(z: Any) -> Any:
    return z
