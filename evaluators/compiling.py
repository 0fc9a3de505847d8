"""Compiling ahead of time, so that no candidate pays for another."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import jax
from jax.stages import Compiled

# On a GPU, XLA would try many kernels for each matrix product and take what was the fastest at that
# moment: in another worker another one, with other bits.
_OPTIONS: Final[dict[str, dict[str, str | bool]]] = {
    "gpu": {
        "xla_gpu_autotune_level": "0",
        "xla_gpu_enable_triton_gemm": False,
        "xla_gpu_deterministic_ops": True,
    }
}


def compiled(
    function: Callable[..., Any], *arguments: Any, donated: Sequence[int] = ()
) -> Compiled:
    """A function for arguments of the shapes and types of these.

    Matrix products are those of float32, where accelerators would take fewer digits.

    Args:
        function: What JAX can trace.
        arguments: Any of the kind; their values don't matter.
        donated: Positions of the arguments whose memory the results may take.
    """
    traced, backend = jax.jit(function, donate_argnums=tuple(donated)), jax.default_backend()
    precision = None if backend == "cpu" else "float32"
    with _without_collecting(), jax.default_matmul_precision(precision):
        return traced.lower(*arguments).compile(compiler_options=_OPTIONS.get(backend))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Tracing makes many objects and hardly any garbage; looking for it is a tenth of the work."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
