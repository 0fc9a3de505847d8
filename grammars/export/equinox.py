"""The target `equinox`: the function for JAX and a module that owns its parameters."""

from __future__ import annotations

from typing import Final

from grammars.export import jax
from grammars.export.function import Function
from grammars.export.python_class import ModuleStyle, module_class
from grammars.export.python_source import module

_STYLE: Final = ModuleStyle(
    base="eqx.Module",
    forward="def __call__(self, x: jax.Array, *, key: jax.Array | None = None) -> jax.Array:",
    axis=-1,
    keyword_axis=True,
    parameter="{value}",
    full="jnp.full((channels,), {start})",
    array="jnp.asarray({start})",
    field="{name}: jax.Array",
    axis_field="axis: int = eqx.field(static=True)",
)


def render(function: Function) -> str:
    """The source of a module that needs JAX and Equinox alone."""
    return module(
        function,
        "An activation function for Equinox.",
        imports="import equinox as eqx\nimport jax\nimport jax.numpy as jnp",
        parts=[*jax.definitions(function), module_class(function, _STYLE)],
    )
