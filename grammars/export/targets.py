"""The table of targets: what a discovered function can be exported to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from grammars.export import jax
from grammars.export.function import Function


@dataclass(frozen=True)
class Target:
    """One row of the table.

    Attributes:
        name: What users write after `--to`.
        suffix: What follows the function's name in the file's name.
        title: What the file holds, in words.
        render: Writes the file.
        framework: What runs the file when it is verified, a key of the child's table.
    """

    name: str
    suffix: str
    title: str
    render: Callable[[Function], str | bytes]
    framework: str


_ROWS: Final = (Target("jax", "_jax.py", "a function for JAX", jax.render, "jax"),)

TARGETS: Final[Mapping[str, Target]] = {row.name: row for row in _ROWS}
