"""The target `stablehlo`: the function and its gradient, serialised by `jax.export`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy

from grammars.export.function import Function
from grammars.export.lowering import MissingPackageError, guard_branches
from grammars.numerics.compilation import to_jax

PLATFORMS: Final = ("cpu", "cuda", "rocm", "tpu")


def render(function: Function) -> bytes:
    """The bytes for `jax.export.deserialize`; the trained parameters are constants within.

    The input has the axes and the precision that `function.tensors` asks for, its last axis is that
    of the channels. One file serves all platforms.

    Raises:
        MissingPackageError: If flatbuffers is not installed, which `jax.export` writes with.
    """
    if importlib.util.find_spec("flatbuffers") is None:
        raise MissingPackageError("stablehlo", "flatbuffers")
    import jax
    import jax.export

    compute = to_jax(guard_branches(function.stable))
    values: dict[str, Any] = {
        parameter.original: numpy.asarray(parameter.value, numpy.float32)
        for parameter in function.parameters
    }

    precision = function.tensors.precision

    def named(x: Any) -> Any:
        return compute(x.astype("float32"), values).astype(precision)

    # The name and nothing else of this process goes into the file.
    named.__name__ = named.__qualname__ = function.name
    axes = function.tensors.axes(function.channels or "channels", axis=-1)
    shape = jax.export.symbolic_shape(", ".join(map(str, axes)))
    argument: Any = jax.ShapeDtypeStruct(shape, precision)  # type: ignore[no-untyped-call]
    with _without_locations():
        exported = jax.export.export(jax.jit(named), platforms=PLATFORMS)(argument)
        return bytes(exported.serialize(vjp_order=1))


@contextmanager
def _without_locations() -> Iterator[None]:
    """Keeps the paths of this machine's files, which name its users, out of what JAX writes."""
    import jax

    config: Any = jax.config
    before = config.jax_traceback_in_locations_limit
    config.update("jax_traceback_in_locations_limit", 0)
    try:
        yield
    finally:
        config.update("jax_traceback_in_locations_limit", before)
