"""Compiling ahead of time, so that no candidate pays for another."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
from jax.stages import Compiled


def compiled(
    function: Callable[..., Any], *arguments: Any, donated: Sequence[int] = ()
) -> Compiled:
    """A function for arguments of the shapes and types of these.

    Args:
        function: What JAX can trace.
        arguments: Any of the kind; their values don't matter.
        donated: Positions of the arguments whose memory the results may take.
    """
    traced = jax.jit(function, donate_argnums=tuple(donated))
    with _without_collecting():
        return traced.lower(*arguments).compile()


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
