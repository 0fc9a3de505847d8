"""The target `jax`: a function of an array and, where it has any, its trainable parameters."""

from __future__ import annotations

from typing import Final

from grammars.export.function import Function, indented, python_value
from grammars.export.recognition import WHOLE_FUNCTIONS
from grammars.export.writing import ARITHMETIC, Body, Form, Language, python_power, write
from grammars.expression import ATOM, POWER
from grammars.primitives import EXP_ARGUMENT_MAX, SINC_SERIES_BELOW

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
    **ARITHMETIC,
    "abs": Form("jnp.abs({0})"),
    "square": Form("jnp.square({0})"),
    "cube": Form("{0} ** 3", POWER, (ATOM,)),
    "sqrt": Form("jnp.sqrt({0})"),
    "exp": Form(f"jnp.exp(jnp.minimum({{0}}, {EXP_ARGUMENT_MAX}))"),
    "expm1": Form(f"jnp.expm1(jnp.minimum({{0}}, {EXP_ARGUMENT_MAX}))"),
    "log": Form("jnp.log({0})"),
    "log1p": Form("jnp.log1p({0})"),
    "sin": Form("jnp.sin({0})"),
    "cos": Form("jnp.cos({0})"),
    "sinc": Form("_sinc({0})", helper="_sinc"),
    "sinh": Form(f"jnp.sinh(jnp.clip({{0}}, -{EXP_ARGUMENT_MAX}, {EXP_ARGUMENT_MAX}))"),
    "cosh": Form(f"jnp.cosh(jnp.clip({{0}}, -{EXP_ARGUMENT_MAX}, {EXP_ARGUMENT_MAX}))"),
    "tanh": Form("jnp.tanh({0})"),
    "asinh": Form("jnp.arcsinh({0})"),
    "atan": Form("jnp.arctan({0})"),
    "sigmoid": Form("jax.nn.sigmoid({0})"),
    "log_sigmoid": Form("jax.nn.log_sigmoid({0})"),
    "softplus": Form("jax.nn.softplus({0})"),
    "erf": Form("jax.lax.erf({0})"),
    "relu": Form("jax.nn.relu({0})"),
    "pow": Form("jnp.power({0}, {1})"),
    "max": Form("jnp.maximum({0}, {1})"),
    "min": Form("jnp.minimum({0}, {1})"),
    "clip": Form("jnp.clip({0}, {1}, {2})"),
    "where": Form("jnp.where({0} >= 0, {1}, {2})"),
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

LANGUAGE: Final = Language(_FORMS, {"_sinc": _SINC}, whole_power=python_power)
KNOWN: Final = tuple(name for name in WHOLE_FUNCTIONS if name in _FORMS)

_ALONG: Final = '''
def _along(value: jax.typing.ArrayLike, x: jax.Array, axis: int) -> jax.Array:
    """Lays one value a channel along an axis of `x`; a single value serves all channels."""
    value = jnp.asarray(value, x.dtype)
    if value.ndim == 0:
        return value
    shape = [1] * x.ndim
    shape[axis] = value.size
    return value.reshape(shape)
'''


def render(function: Function) -> str:
    """The source of a module that needs JAX alone and defines the function.

    Half precision is widened to float32 inside and rounded once at the end, which XLA fuses; the
    framework's own functions are left to do as they do.
    """
    parts = [
        function.docstring("An activation function for JAX."),
        "\n\nimport jax\nimport jax.numpy as jnp\n",
        definitions(function),
    ]
    return "".join(parts)


def definitions(function: Function) -> str:
    """The helpers and the function itself, without imports."""
    body = write((function.lowered(KNOWN),), LANGUAGE, names=function.names())
    helpers = [LANGUAGE.helpers[name] for name in body.helpers]
    if function.parameters:
        helpers.insert(0, _ALONG)
    values = [
        f"\n{parameter.name.upper()} = {python_value(parameter.value)}"
        for parameter in function.parameters
        if isinstance(parameter.value, tuple)
    ]
    constants = "".join(values) + "\n" if values else ""
    return (
        constants
        + "".join(f"\n{helper}" for helper in helpers)
        + f"\n\n{_function(function, body)}"
    )


def _function(function: Function, body: Body) -> str:
    lines = [*_documentation(function)]
    lines.append("x = jnp.asarray(x)")
    result = body.values[0]
    if is_own(function, body):
        lines.append(f"return {result}")
    else:
        lines.extend(_wide(function, body, result))
    return f"{_signature(function)}\n{indented(lines)}\n"


def is_own(function: Function, body: Body) -> bool:
    """Whether the whole function is one function of the framework, such as `jax.nn.silu(x)`."""
    return (
        not body.statements
        and not body.helpers
        and body.values[0].startswith("jax.nn.")
        and body.values[0].split("(", 1)[1].startswith(("x)", "x, approximate"))
    )


def _wide(function: Function, body: Body, result: str) -> list[str]:
    lines = [
        "# Integers become floats; half precision is computed in float32 and rounded at the end.",
        "dtype = jnp.result_type(x, float)",
        "x = x.astype(jnp.promote_types(dtype, jnp.float32))",
    ]
    for parameter in function.parameters:
        place = f"_along({parameter.name}, x, axis)"
        lines.append(f"{parameter.name} = {place}")
    lines.extend(body.statements)
    if not function.folded.uses_input:
        result = f"jnp.broadcast_to({result}, x.shape)"
    return [*lines, f"value = {result}", "return value.astype(dtype)"]


def _signature(function: Function) -> str:
    if not function.parameters:
        return f"def {function.name}(x: jax.typing.ArrayLike) -> jax.Array:"
    arguments = ["x: jax.typing.ArrayLike"]
    for parameter in function.parameters:
        is_row = isinstance(parameter.value, tuple)
        default = parameter.name.upper() if is_row else repr(parameter.value)
        arguments.append(f"{parameter.name}: jax.typing.ArrayLike = {default}")
    arguments.extend(["*", "axis: int = -1"])
    return f"def {function.name}(\n{indented([f'{a},' for a in arguments])}\n) -> jax.Array:"


def _documentation(function: Function) -> list[str]:
    lines = ['"""Applies the function to every element.', "", "Args:", "    x: Any shape."]
    lines += [
        f"    {parameter.name}: Trainable, per {parameter.per}: one value, or one a channel."
        for parameter in function.parameters
    ]
    if function.parameters:
        lines.append("    axis: The axis of `x` that counts the channels.")
    return [*lines, "", "Returns:", "    The shape and precision of `x`.", '"""']
