"""Classes of a script or a notebook, which travel as their source.

By value, as cloudpickle has it, a class is made empty and gets its methods afterwards. What a
metaclass or a decorator makes of a class body, as those of Equinox and Flax do, would be lost.
"""

from __future__ import annotations

import ast
import dis
import linecache
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any, Final

from evaluators.pickling.origins import is_users_module, methods_of

_FUTURE_ANNOTATIONS: Final = 0x1000000  # of a code object's flags, as of `compile`
_BY_NAME: Final = ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL")


@dataclass(frozen=True)
class ClassSource:
    """A class statement of a user's own.

    Attributes:
        text: With its decorators.
        path: Of its file.
        line: Of its first line there.
        flags: With which it was compiled.
        name: Of the class.
        globals: Of its module.
    """

    text: str
    path: str
    line: int
    flags: int
    name: str
    globals: dict[str, Any]

    @property
    def code(self) -> CodeType:
        """What runs it."""
        return _compiled(self.text, self.path, self.line, self.flags)

    def needs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Globals that the statement reads, and those that only its methods read later."""
        code = self.code
        at_once = {name for part in _at_once(code) for name in _names(part)}
        at_all = {name for part in nested(code) for name in _names(part)} - {self.name}
        if any(name == "super" for name in at_all):
            at_all.discard("__class__")
        found = {name: self.globals[name] for name in sorted(at_all) if name in self.globals}
        first = {name: value for name, value in found.items() if name in at_once}
        return first, {name: value for name, value in found.items() if name not in at_once}


def class_source(of_class: type) -> ClassSource | None:
    """The statement that made a class at the top of a user's module; None where there is none."""
    if not is_users_module(of_class.__module__) or "." in of_class.__qualname__:
        return None
    for _, method in methods_of(of_class):
        code = method.__code__
        found = _statement(code.co_filename, of_class.__name__, code.co_firstlineno)
        if found is not None:
            flags = code.co_flags & _FUTURE_ANNOTATIONS
            text, line = found
            name = of_class.__name__
            return ClassSource(text, code.co_filename, line, flags, name, method.__globals__)
    return None


def class_from_source(
    text: str, path: str, line: int, flags: int, name: str, namespace: dict[str, Any]
) -> Any:
    """Runs a class statement; `namespace` is what its methods will read later, too."""
    linecache.cache.setdefault(path, (len(text), None, _lines(text, line), path))
    namespace["__name__"] = "__main__"
    exec(_compiled(text, path, line, flags), namespace)  # noqa: S102 - the user's own code
    return namespace[name]


def referred(code: CodeType) -> list[str]:
    """Names that a function's code, and functions within, may read from its module; sorted."""
    return sorted({name for part in nested(code) for name in _names(part)})


def nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and all within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)


def _names(code: CodeType) -> Iterator[str]:
    yield from (i.argval for i in dis.get_instructions(code) if i.opname in _BY_NAME)


def _at_once(code: CodeType) -> Iterator[CodeType]:
    """What runs when the statement does: all but functions, comprehensions excepted."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and _runs_at_once(constant):
            yield from _at_once(constant)


def _runs_at_once(code: CodeType) -> bool:
    is_class_body = "__module__" in code.co_names and "__qualname__" in code.co_names
    return is_class_body or (code.co_name.startswith("<") and code.co_name != "<lambda>")


@lru_cache(maxsize=256)
def _compiled(text: str, path: str, line: int, flags: int) -> CodeType:
    tree = ast.increment_lineno(ast.parse(text), line - 1)
    code: CodeType = compile(tree, path, "exec", flags=flags, dont_inherit=True)
    return code


def _statement(path: str, name: str, line: int) -> tuple[str, int] | None:
    """The text of the class statement around a line, and where it begins."""
    lines = linecache.getlines(path)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:  # a cell with commands of the notebook's own
        tree = ast.Module(body=list(_of_parts(lines)), type_ignores=[])
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            if first <= line <= (node.end_lineno or line):
                return textwrap.dedent("".join(lines[first - 1 : node.end_lineno])), first
    return None


def _of_parts(lines: list[str]) -> Iterator[ast.stmt]:
    """Class statements of a text that is no Python as a whole, each parsed by itself."""
    for first, text in enumerate(lines):
        if not text.startswith(("class ", "@")):
            continue
        for last in range(len(lines), first, -1):
            try:
                tree = ast.parse("".join(lines[first:last]))
            except SyntaxError:
                continue
            yield from ast.increment_lineno(tree, first).body[:1]
            break


def _lines(text: str, line: int) -> list[str]:
    return ["\n"] * (line - 1) + text.splitlines(keepends=True)
