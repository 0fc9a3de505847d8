"""The target `jax`: a function of an array and, where it has any, its trainable parameters."""

from __future__ import annotations

from typing import Final

from grammars.export.function import Function
from grammars.export.python_source import (
    HALF_PRECISION,
    documentation,
    helpers,
    indented,
    module,
    signature,
)
from grammars.export.recognition import WHOLE_FUNCTIONS
from grammars.export.writing import Body, Form, Language, python_power, write
from grammars.expressions.expression import Call, Expression, Variable
from grammars.primitives import SINC_SERIES_BELOW, column

_SINC: Final = f'''
def _sinc(a: jax.Array) -> jax.Array:
    """sin(a) / a, by its Taylor series where the quotient would be 0 / 0."""
    near_zero = jnp.abs(a) < {SINC_SERIES_BELOW}
    away = jnp.where(near_zero, 1.0, a)
    square = jnp.where(near_zero, a, 0.0) ** 2
    series = 1.0
    for factor in (156, 110, 72, 42, 20, 6):
        series = 1.0 - square / factor * series
    return jnp.where(near_zero, series, jnp.sin(away) / away)
'''

_FORMS: Final = {
    **column("jax"),
    "inf": Form("jnp.inf"),
    "nan": Form("jnp.nan"),
    "silu": Form("jax.nn.silu({0})"),
    "gelu": Form("jax.nn.gelu({0}, approximate=False)"),
    "gelu_tanh": Form("jax.nn.gelu({0}, approximate=True)"),
    "mish": Form("jax.nn.mish({0})"),
    "elu": Form("jax.nn.elu({0})"),
    "selu": Form("jax.nn.selu({0})"),
    "leaky_relu": Form("jax.nn.leaky_relu({0})"),
    "relu6": Form("jax.nn.relu6({0})"),
    "hard_sigmoid": Form("jax.nn.hard_sigmoid({0})"),
    "hard_swish": Form("jax.nn.hard_swish({0})"),
    "softsign": Form("jax.nn.soft_sign({0})"),
}

LANGUAGE: Final = Language(_FORMS, {"_sinc": _SINC}, special=python_power)
KNOWN: Final = tuple(name for name in WHOLE_FUNCTIONS if name in _FORMS)

_ALONG: Final = '''
def _along(value: jax.typing.ArrayLike, x: jax.Array, axis: int) -> jax.Array:
    """Lays one value a channel along an axis of `x`; a single value serves all channels."""
    value = jnp.asarray(value, x.dtype)
    if value.size == 1:
        return value.reshape(())
    shape = [1] * x.ndim
    shape[axis] = value.size
    return value.reshape(shape)
'''


def render(function: Function) -> str:
    """The source of a module that needs JAX alone and defines the function."""
    return module(
        function,
        "An activation function for JAX.",
        imports="import jax\nimport jax.numpy as jnp",
        parts=definitions(function),
    )


def definitions(function: Function) -> list[str]:
    """The helpers and the function itself, without imports.

    Half precision is widened to float32 inside and rounded once at the end, which XLA fuses; the
    framework's own functions are left to do as they do.
    """
    lowered = function.lowered(KNOWN)
    body = write((lowered,), LANGUAGE, names=function.names())
    lines = documentation(function, summary="Applies the function to every element.")
    lines.append("x = jnp.asarray(x)")
    if is_one_function(lowered):
        lines += ["x = x.astype(jnp.result_type(x, float))", f"return {body.values[0]}"]
    else:
        lines += _computation(function, body)
    head = signature(
        function, array="jax.typing.ArrayLike", value="jax.typing.ArrayLike", returns="jax.Array"
    )
    along = [_ALONG] if function.parameters else []
    return [*along, *helpers(LANGUAGE, body), f"{head}\n{indented(lines)}"]


def is_one_function(lowered: Expression) -> bool:
    """Whether the whole function is one of the framework's own, such as `silu(x)`."""
    match lowered:
        case Call(name, (Variable(),)):
            return LANGUAGE.forms[name].text.startswith("jax.nn.")
    return False


def _computation(function: Function, body: Body) -> list[str]:
    value = body.values[0]
    if not function.value.uses_input:
        value = f"jnp.broadcast_to({value}, x.shape)"
    return [
        HALF_PRECISION,
        "dtype = jnp.result_type(x, float)",
        "x = x.astype(jnp.promote_types(dtype, jnp.float32))",
        *(f"{p.name} = _along({p.name}, x, axis)" for p in function.parameters),
        *body.statements,
        f"value = {value}",
        "return value.astype(dtype)",
    ]
