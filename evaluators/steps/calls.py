"""Where a network of any kind calls its activation, found out by tracing it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, Primitive, Var, jaxprs_in_params
from jax.interpreters import ad, batching, mlir
from jax.interpreters.partial_eval import dce_jaxpr

from evaluators.steps.activations import Activations, slope_of, value_of

Apply = Callable[[Any, Any, Callable[[Any], Any]], Any]
"""From weights and state, a batch with a random key, and an activation to outputs and state."""

# Calls are a primitive of their own, so that they can be told from all else in what was traced.
_ACTIVATE = Primitive("activate")
_WITH_SLOPE = Primitive("activate_with_slope")
_WITH_SLOPE.multiple_results = True
_JIT = frozenset({"jit", "pjit"})

# How Python prints a function that an equation carries along.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class _Activate:
    """The activation that a network is given while it is traced; it counts its calls."""

    def __init__(
        self, functions: Array, parameters: Array, activations: Activations | None
    ) -> None:
        self._given, self._activations, self._calls = (functions, parameters), activations, 0

    def __call__(self, z: Any) -> Array:
        z = jnp.asarray(z)
        if not jnp.issubdtype(z.dtype, jnp.floating):
            raise TypeError(f"activate takes an array of real numbers, got one of {z.dtype}")
        number, self._calls = self._calls, self._calls + 1
        channels = z.shape[-1] if z.ndim else 1
        activated = _ACTIVATE.bind(  # type: ignore[no-untyped-call]
            z.astype(jnp.float32),
            *self._given,
            number=number,
            channels=channels,
            activations=self._activations,
        )
        result: Array = activated.astype(z.dtype)
        return result


@dataclass(frozen=True)
class Call:
    """One place in a network at which it calls its activation.

    Attributes:
        shape: Of what it passes, the axis of the examples included where `jax.vmap` hides it.
        channels: Length of the last axis, as the network sees it.
        number: By which it is known inside a loop, a branch and the like; None at the top, where it
            may be taken out of the network.
        given: The variable that it passes, at the top.
        result: The variable that takes the result, at the top.
    """

    shape: tuple[int, ...]
    channels: int
    number: int | None
    given: Any = None
    result: Any = None


@dataclass(frozen=True)
class Traced:
    """A network as a list of equations.

    Attributes:
        program: From weights, state, inputs, the data of a key, functions and parameters to outputs
            and state; functions and parameters are of calls by their number: indices [numbers] and
            [numbers, slots, channels].
        calls: In their order.
    """

    program: ClosedJaxpr
    calls: tuple[Call, ...]


def trace(
    apply: Apply,
    made_of: Any,
    seen: Any,
    *,
    activations: Activations | None = None,
    numbers: int = 1,
    channels: int = 1,
) -> Traced:
    """Traces a network.

    Args:
        apply: The network.
        made_of: Weights and state, pytrees of arrays, or of their shapes and types.
        seen: Inputs of a batch and the data of a random key, likewise; None in its place for none.
        activations: The functions that calls below the top choose from; None if nothing is to be
            computed.
        numbers: How many there are at least.
        channels: Of those at most.
    """
    leaves, form = jax.tree.flatten((made_of, seen))
    slots = activations.slots if activations else 0

    def program(*arguments: Any) -> Any:
        *leaves, functions, parameters = arguments
        activate = _Activate(functions, parameters, activations)
        return apply(*cast("tuple[Any, Any]", jax.tree.unflatten(form, leaves)), activate)

    functions = jax.ShapeDtypeStruct((numbers,), jnp.int32)  # type: ignore[no-untyped-call]
    parameters = jax.ShapeDtypeStruct(  # type: ignore[no-untyped-call]
        (numbers, slots, channels), jnp.float32
    )
    traced = jax.make_jaxpr(program)(*leaves, functions, parameters)
    flat = jax.make_jaxpr(partial(_flat, traced))(*traced.in_avals)
    numbered: ClosedJaxpr = _numbered(flat, itertools.count())
    return Traced(numbered, tuple(_calls(numbered.jaxpr, is_top=True)))


def _flat(traced: ClosedJaxpr, *arguments: Any) -> list[Any]:
    """The same program, with functions under `jax.jit` that call the activation dissolved."""
    return replay(traced.jaxpr, traced.consts, arguments)


def _numbered(program: Any, numbers: Iterator[int]) -> Any:
    """A program whose calls are numbered as they come in it, in the order of `_calls`.

    Those counted while tracing are others where JAX traces a function once and uses it twice.
    """
    if type(program) is tuple:
        return tuple(_numbered(each, numbers) for each in program)
    if isinstance(program, ClosedJaxpr):
        inner = _numbered(program.jaxpr, numbers)
        return program.replace(jaxpr=inner)  # type: ignore[no-untyped-call]
    if not isinstance(program, Jaxpr):
        return program
    equations = []
    for equation in program.eqns:
        params = dict(equation.params)
        if is_call(equation):
            params["number"] = next(numbers)
        params = {name: _numbered(value, numbers) for name, value in params.items()}
        equations.append(equation.replace(params=params))
    return program.replace(eqns=equations)  # type: ignore[no-untyped-call]


def is_same(one: Traced, other: Traced) -> bool:
    """Whether two networks are the same computation, written alike; what nobody reads is none."""
    texts = {_ADDRESS.sub("", str(_needed(each.program.jaxpr))) for each in (one, other)}
    if len(texts) > 1:
        return False
    pairs = zip(one.program.consts, other.program.consts, strict=True)
    return all(np.array_equal(_plain(a), _plain(b)) for a, b in pairs)


def _needed(jaxpr: Jaxpr) -> Jaxpr:
    needed, _ = dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars), instantiate=True)
    return needed


def _plain(array: Any) -> Any:
    is_key = jnp.issubdtype(array.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(array) if is_key else array


def replay(jaxpr: Jaxpr, constants: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    """Computes a program, equation by equation."""
    values: dict[Var, Any] = dict(zip(jaxpr.constvars, constants, strict=True))
    values |= zip(jaxpr.invars, arguments, strict=True)
    compute(jaxpr.eqns, values)
    return [read(values, variable) for variable in jaxpr.outvars]


def compute(equations: Sequence[Any], values: dict[Any, Any]) -> None:
    """Adds what equations yield to the values of variables."""
    for equation in equations:
        given = [read(values, variable) for variable in equation.invars]
        inner = equation.params.get("jaxpr")
        if equation.primitive.name in _JIT and any(_calls(inner.jaxpr, is_top=False)):
            results = replay(inner.jaxpr, inner.consts, given)
        else:
            parameters = equation.primitive.get_bind_params(equation.params)
            results = equation.primitive.bind(*given, **parameters)
            if not equation.primitive.multiple_results:
                results = [results]
        values |= zip(equation.outvars, results, strict=True)


def read(values: dict[Any, Any], variable: Any) -> Any:
    """The value of a variable, or of a number that stands in its place."""
    return variable.val if isinstance(variable, Literal) else values[variable]


def is_call(equation: Any) -> bool:
    """Whether an equation is a call of the activation."""
    return equation.primitive is _ACTIVATE


def takes_slope(jaxpr: Jaxpr) -> bool:
    """Whether the network itself differentiates through its activation."""
    return any(
        equation.primitive is _WITH_SLOPE
        or any(takes_slope(inner) for inner in jaxprs_in_params(equation.params))
        for equation in jaxpr.eqns
    )


def _calls(jaxpr: Jaxpr, *, is_top: bool) -> Iterator[Call]:
    for equation in jaxpr.eqns:
        if is_call(equation):
            given: Any = equation.invars[0]
            shape, channels = given.aval.shape, equation.params["channels"]
            if is_top:
                yield Call(shape, channels, None, given, equation.outvars[0])
            else:
                yield Call(shape, channels, equation.params["number"])
        for inner in jaxprs_in_params(equation.params):
            yield from _calls(inner, is_top=False)


def _computed(z: Array, functions: Array, parameters: Array, **named: Any) -> list[Array]:
    """Value, slope and the derivatives by parameters [slots, ...], where nothing was taken out."""
    number, channels, activations = (named[name] for name in ("number", "channels", "activations"))
    if activations is None:
        return [z, jnp.ones_like(z), jnp.zeros((parameters.shape[1], *z.shape))]
    own = parameters[number, :, :channels]
    pair, partials = activations(functions[number], z.reshape(-1, channels), own)
    shaped = partials.reshape(len(partials), *z.shape)
    return [value_of(pair).reshape(z.shape), slope_of(pair).reshape(z.shape), shaped]


def _value(*given: Array, **named: Any) -> Array:
    return _computed(*given, **named)[0]


def _like_first(z: Any, functions: Any, parameters: Any, **named: Any) -> Any:
    return z.update(weak_type=False)


def _shapes(z: Any, functions: Any, parameters: Any, **named: Any) -> Any:
    one = z.update(weak_type=False)
    return [one, one, one.update(shape=(parameters.shape[1], *z.shape))]


def _derive(primals: Any, tangents: Any, **named: Any) -> tuple[Any, Any]:
    value, slope, partials = _WITH_SLOPE.bind(*primals, **named)  # type: ignore[no-untyped-call]
    by_z, _, by_parameters = map(ad.instantiate_zeros, tangents)
    tangent = slope * by_z
    for slot in range(partials.shape[0]):
        own = by_parameters[named["number"], slot, : named["channels"]]
        tangent = tangent + partials[slot] * own
    return value, tangent


def _map_over(primitive: Primitive, arguments: Any, axes: Any, **named: Any) -> Any:
    # Whatever is mapped over comes first, so that channels stay the last axis.
    (z, *shared), (axis, *others) = arguments, axes
    if any(other is not None for other in others):
        raise NotImplementedError("functions and their parameters can't be mapped over")
    mapped = jnp.moveaxis(z, axis, 0)
    result = primitive.bind(mapped, *shared, **named)  # type: ignore[no-untyped-call]
    if primitive.multiple_results:
        return result, [0, 0, 1]
    return result, 0


_ACTIVATE.def_impl(_value)  # type: ignore[no-untyped-call]
_WITH_SLOPE.def_impl(_computed)  # type: ignore[no-untyped-call]
_ACTIVATE.def_abstract_eval(_like_first)  # type: ignore[no-untyped-call]
_WITH_SLOPE.def_abstract_eval(_shapes)  # type: ignore[no-untyped-call]
ad.primitive_jvps[_ACTIVATE] = _derive
batching.primitive_batchers[_ACTIVATE] = partial(_map_over, _ACTIVATE)
batching.primitive_batchers[_WITH_SLOPE] = partial(_map_over, _WITH_SLOPE)
mlir.register_lowering(_ACTIVATE, mlir.lower_fun(_value, multiple_results=False))
mlir.register_lowering(_WITH_SLOPE, mlir.lower_fun(_computed, multiple_results=True))
