"""The target `flax`: the function for JAX and an NNX module that owns its parameters."""

from __future__ import annotations

from typing import Final

from grammars.export import jax
from grammars.export.function import Function
from grammars.export.python_class import ModuleStyle, module_class
from grammars.export.python_source import module

_STYLE: Final = ModuleStyle(
    base="nnx.Module",
    forward="def __call__(self, x: jax.Array) -> jax.Array:",
    axis=-1,
    keyword_axis=True,
    parameter="nnx.Param({value})",
    full="jnp.full((channels,), {start})",
    array="jnp.asarray({start})",
    read="self.{name}[...]",
)


def render(function: Function) -> str:
    """The source of a module that needs JAX and Flax alone."""
    return module(
        function,
        "An activation function for Flax NNX.",
        imports="import jax\nimport jax.numpy as jnp\nfrom flax import nnx",
        parts=[*jax.definitions(function), module_class(function, _STYLE)],
    )
