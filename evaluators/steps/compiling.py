"""Compiling ahead of time, so that no candidate pays for another."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import jax
import jax.numpy as jnp
from jax.experimental.xla_metadata import set_xla_metadata
from jax.stages import Compiled

_F = TypeVar("_F", bound=Callable[..., Any])

# XLA's names for a call that its CPU compiler makes one kernel of, and that is not dissolved into
# its caller before.
_ONE_KERNEL: Final = {"xla_cpu_small_call": "true", "inlineable": "false"}
_ORDINARY: Final = dict.fromkeys(_ONE_KERNEL)
# A loop that XLA would share out, were there threads to.
_LONG: Final = (1 << 21,)

# On a GPU, XLA would try many kernels for each matrix product and take what was the fastest at that
# moment: in another worker another one, with other bits.
_OPTIONS: Final[dict[str, dict[str, str | bool]]] = {
    "gpu": {
        "xla_gpu_autotune_level": "0",
        "xla_gpu_enable_triton_gemm": False,
        "xla_gpu_deterministic_ops": True,
    }
}


# Vectors of the full width, where a processor has them, save a tenth of a step, and change no bit.
_WIDE: Final[dict[str, str | bool]] = {"xla_cpu_prefer_vector_width": "512"}
# But at that width XLA's arctan is wrong by up to 1.4 on processors with AVX-512 (JAX 0.10.2). So
# the width is no option of the process, which would hold for networks and objectives of a user's.
_MISCOMPILED: Final = "atan"


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
        lowered = traced.lower(*arguments)
        options = dict(_OPTIONS.get(backend, {}))
        if backend == "cpu" and _MISCOMPILED not in lowered.as_text():
            options |= _WIDE
        return lowered.compile(compiler_options=options)


def one_kernel(function: _F) -> _F:
    """Has XLA compile all of a function as one kernel, where it compiles for one thread.

    XLA compiles every loop by itself, through a chain of intermediate languages that takes most of
    the time of a small one; a kernel of many loops goes to LLVM as a whole. It runs as fast.

    Args:
        function: Of arrays, to arrays: elementwise, since products, and sums where XLA has a
            library for them, cannot be part of a kernel. Every argument must have a part in what it
            computes, or XLA ends the process.
    """

    @jax.jit
    def ordinary(*arguments: Any) -> Any:
        # The names are inherited, and every call within would be a kernel's kernel.
        with set_xla_metadata(**_ORDINARY):  # type: ignore[no-untyped-call]
            return function(*arguments)

    def call(*arguments: Any) -> Any:
        if not _has_one_thread(jax.default_backend()):
            return function(*arguments)
        with set_xla_metadata(**_ONE_KERNEL):  # type: ignore[no-untyped-call]
            return ordinary(*arguments)

    return cast(_F, call)


@lru_cache(maxsize=1)
def _has_one_thread(backend: str) -> bool:
    """Whether XLA leaves loops whole; parts of them, one for each thread, don't fit in a kernel.

    Found out, since what the process was told counts only if it was told before JAX began.
    """
    if backend != "cpu":
        return False
    long = jax.ShapeDtypeStruct(_LONG, jnp.float32)  # type: ignore[no-untyped-call]
    program = jax.jit(jnp.exp).lower(long).compile()
    return "outer_dimension_partitions" not in (program.as_text() or "")


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
