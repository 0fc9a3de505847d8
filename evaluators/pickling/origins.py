"""Whose code something is: a user's, or that of an installed package or of this program."""

from __future__ import annotations

import functools
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, Final, NamedTuple

_OURS: Final = ("actsearch", "evaluators", "grammars", "search")
_OUR_FOLDER: Final = Path(__file__).parents[2]
_NOTEBOOK_FOLDER: Final = "ipykernel_"


class Origin(NamedTuple):
    """Where a user's code begins.

    Attributes:
        path: Of the file, or what Python calls a notebook's cell.
        line: Counted from 1.
    """

    path: str
    line: int


@lru_cache(maxsize=4096)
def is_users_file(path: str) -> bool:
    """Whether a file belongs to no installed package, and not to Python or this program."""
    if path.startswith("<"):  # made by a program, such as the methods of a dataclass
        return path in ("<stdin>", "<string>")
    absolute = Path(path)
    if {"site-packages", "dist-packages"} & set(absolute.parts):
        return False
    if absolute.is_relative_to(_OUR_FOLDER):
        return absolute.relative_to(_OUR_FOLDER).parts[0].removesuffix(".py") not in _OURS
    return not absolute.is_relative_to(sysconfig.get_path("stdlib"))


def is_users_module(name: str | None) -> bool:
    """Whether a module is the calling script, a notebook, or a file of the user's own."""
    if name is None:
        return False
    if name == "__main__":
        return True
    path = getattr(sys.modules.get(name), "__file__", None)
    return path is not None and is_users_file(path)


def users_modules() -> list[Any]:
    """Imported modules that are files of the user's own."""
    return [m for name, m in list(sys.modules.items()) if m and _is_own_import(name)]


def _is_own_import(name: str) -> bool:
    return name not in ("__main__", "__mp_main__") and is_users_module(name)


def shown_file(path: str) -> str:
    """A file as messages name it; a notebook's cell has none."""
    return "a cell of the notebook" if _NOTEBOOK_FOLDER in path else path


def origin_of(value: Any) -> Origin | None:
    """Where the first of a user's functions begins that a value consists of."""
    seen: set[int] = set()

    def walk(each: Any) -> Iterator[Origin]:
        if id(each) in seen:
            return
        seen.add(id(each))
        if isinstance(each, FunctionType):
            code = each.__code__
            if is_users_file(code.co_filename):
                yield Origin(code.co_filename, code.co_firstlineno)
            for cell in each.__closure__ or ():
                try:
                    yield from walk(cell.cell_contents)
                except ValueError:  # not filled yet
                    continue
        elif isinstance(each, functools.partial):
            yield from walk(each.func)
        elif isinstance(each, MethodType):
            yield from walk(each.__func__)
        elif isinstance(each, type):
            yield from (found for _, method in methods_of(each) for found in walk(method))
        elif callable(each):
            yield from walk(inspect.unwrap(type(each).__call__))

    return next(walk(value), None)


def methods_of(of_class: type) -> Iterator[tuple[str, FunctionType]]:
    """The functions that stand in a class's body, whatever they are wrapped in."""
    for name, value in vars(of_class).items():
        for attribute in (None, "__func__", "fget", "method", "__wrapped__"):
            inner = value if attribute is None else getattr(value, attribute, None)
            if isinstance(inner, FunctionType) and inner.__qualname__.startswith(
                f"{of_class.__qualname__}."
            ):
                inner = inspect.unwrap(inner)
                yield name, inner
                break
