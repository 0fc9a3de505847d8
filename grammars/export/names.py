"""Names that exported files may use, for the function itself and for its trainable parameters."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from typing import Final

from grammars.export.lowering import ExportError
from grammars.export.reserved import MACROS, is_reserved

MAX_NAME_LENGTH: Final = 60

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# What files add to the function's name for the things beside it.
_BESIDE: Final = ("slope", "lean", "sigmoid", "softplus", "sinc", "max", "min", "clip")


def check_name(name: str) -> str:
    """Returns a name that is fit for a function, a class and a file.

    Raises:
        ExportError: If it is not an identifier, has a meaning already, or is too long.
    """
    allowed = f"a letter, then letters, digits and '_', at most {MAX_NAME_LENGTH} in all"
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise ExportError(f"cannot call the function {name[:80]!r}; a name is {allowed}")
    if is_reserved(name):
        raise ExportError(
            f"cannot call the function {name!r}: the name has another meaning in the files; "
            f"choose another, such as {name + '_activation'!r}"
        )
    return name


def macro(function: str, parameter: str) -> str:
    """What a C header calls the value that a parameter starts from."""
    return f"{function}_{parameter}".upper()


def names_of(function: str) -> set[str]:
    """In lower case, what no parameter may be called because the function's files use it."""
    return {function.lower(), *(f"{function}_{end}".lower() for end in _BESIDE)}


def free_name(wanted: str, function: str, taken: Collection[str]) -> str:
    """The name itself, or the first of `name_`, `name_2`, `name_3` ... that is free.

    Args:
        wanted: What the parameter is called in the expression.
        function: What the function is called.
        taken: Further names in lower case that are not free.
    """
    base = wanted.strip("_") or "parameter"
    for name in itertools.chain([base, f"{base}_"], (f"{base}_{i}" for i in itertools.count(2))):
        is_taken = name.lower() in taken or macro(function, name) in MACROS
        if not (is_taken or is_reserved(name)):
            return name
    raise AssertionError("unreachable: the candidates never end")
