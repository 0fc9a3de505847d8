"""What a function is, as a digest: equal in every process in which the same code made it.

A pickle would not do: its bytes tell file names and lines, and random names of classes.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import cloudpickle
import numpy as np

from evaluators.pickling.classes import class_source, nested, referred
from evaluators.pickling.origins import is_users_module

_PLAIN: Final = (type(None), bool, int, float, complex, str, bytes, type(...), range)
# What `jax.custom_jvp` and `jax.custom_vjp` call the rules that they were given.
_RULES: Final = ("jvp", "fwd", "bwd")
# What Python keeps in a class for itself.
_NOT_WRITTEN: Final = ("__dict__", "__weakref__", "__module__", "_abc_impl", "__firstlineno__")


class UnknownContentError(ValueError):
    """It cannot be told what something is."""


def content_of(value: Any) -> str:
    """SHA-256 of what a value is, functions with all that they read from the user's modules.

    Lines and files have no part in it, nor have comments. It depends on the version of Python.

    Raises:
        UnknownContentError: If a part of it tells nothing of itself.
    """
    version = "{}.{}".format(*sys.version_info[:2])
    return hashlib.sha256(f"python {version} {_Digester()(value)}".encode()).hexdigest()


class _Digester:
    """Digests values; those that are met within themselves by how far up they are."""

    def __init__(self) -> None:
        self._within: list[int] = []
        self._known: dict[int, tuple[str, Any]] = {}  # the values, lest their ids are used anew

    def __call__(self, value: Any) -> str:
        if isinstance(value, _PLAIN):
            return f"{type(value).__name__} {value!r}"
        if id(value) in self._within:
            return f"itself {len(self._within) - self._within.index(id(value))}"
        if id(value) not in self._known:
            self._within.append(id(value))
            try:
                digest = hashlib.sha256("\n".join(self._parts(value)).encode()).hexdigest()
            finally:
                self._within.pop()
            self._known[id(value)] = digest, value
        return self._known[id(value)][0]

    def _parts(self, value: Any) -> Iterator[str]:
        """Texts that together tell what it is."""
        yield type(value).__qualname__
        if isinstance(value, tuple | list):
            yield from map(self, value)
        elif isinstance(value, set | frozenset):
            yield from sorted(map(self, value))
        elif isinstance(value, Mapping):
            yield from sorted(f"{self(key)}: {self(each)}" for key, each in value.items())
        elif isinstance(value, np.ndarray) and value.dtype != object:
            yield f"{value.dtype.str} {value.shape}"
            yield hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        elif isinstance(value, CodeType):
            yield from self._code(value)
        elif (name := _installed_name(value)) is not None:
            yield name
        elif isinstance(value, FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(value, MethodType):
            yield from map(self, (value.__func__, value.__self__))
        elif isinstance(value, ModuleType):
            yield from self._module(value)
        elif hasattr(value, "__wrapped__") and callable(value):  # such as by `jax.jit`
            yield self(value.__wrapped__)
            yield from self._added(value)
        else:
            yield from self._taken_apart(value)

    def _added(self, wrapper: Any) -> Iterator[str]:
        """What a wrapper has beside what it wraps: plain values, and rules of differentiation.

        What else it keeps, such as compiled programs, decides nothing and has no content.
        """
        copied = getattr(wrapper.__wrapped__, "__dict__", {})
        for name, part in sorted(getattr(wrapper, "__dict__", {}).items()):
            is_copied = name in copied and copied[name] is part
            if not (name.startswith("__") or is_copied) and (name in _RULES or _is_plain(part)):
                yield f"{name}: {self(part)}"

    def _code(self, code: CodeType) -> Iterator[str]:
        yield hashlib.sha256(code.co_code).hexdigest()
        yield repr((code.co_name, code.co_names, code.co_varnames, code.co_freevars))
        yield repr((code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount))
        yield from map(self, code.co_consts)

    def _function(self, function: FunctionType) -> Iterator[str]:
        yield self(function.__code__)
        yield self(function.__defaults__)
        yield self(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                yield self(cell.cell_contents)
            except ValueError:
                yield "an empty cell"
        yield from self._read(referred(function.__code__), function.__globals__)

    def _class(self, of_class: type) -> Iterator[str]:
        if (source := class_source(of_class)) is not None:
            yield ast.dump(ast.parse(source.text))
            names = {name for part in nested(source.code) for name in referred(part)}
            yield from self._read(sorted(names), source.globals)
            return
        yield of_class.__qualname__
        yield from map(self, of_class.__bases__)
        for name, value in sorted(vars(of_class).items()):
            if name not in _NOT_WRITTEN:
                yield f"{name}: {self(value)}"

    def _read(self, names: list[str], of_module: Mapping[str, Any]) -> Iterator[str]:
        yield from (f"{name}: {self(of_module[name])}" for name in names if name in of_module)

    def _module(self, module: ModuleType) -> Iterator[str]:
        """Its file, and what that has from others of the user's."""
        if module.__file__ is None:
            raise UnknownContentError(f"the module {module.__name__}")
        content = Path(module.__file__).read_bytes()
        yield hashlib.sha256(content).hexdigest()
        imported = _imported_from_users(module, content)
        for name, value in sorted(vars(module).items()):
            if name in imported or _is_of_another_users_module(value, module):
                yield f"{name}: {self(value)}"

    def _taken_apart(self, value: Any) -> Iterator[str]:
        reduce = cloudpickle.Pickler.dispatch_table.get(type(value))
        try:
            reduced = value.__reduce_ex__(4) if reduce is None else reduce(value)
        except Exception as error:
            raise UnknownContentError(f"a {type(value).__name__} ({error})") from error
        if isinstance(reduced, str):
            yield reduced
        else:
            yield from map(self, reduced[:3])
            yield from (self(list(rest)) for rest in reduced[3:5] if rest is not None)


def _is_plain(value: Any) -> bool:
    """Whether it is data through and through."""
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(_is_plain(each) for pair in value.items() for each in pair)
    return isinstance(value, (*_PLAIN, np.generic)) or (
        isinstance(value, np.ndarray) and value.dtype != object
    )


def _is_of_another_users_module(value: Any, module: ModuleType) -> bool:
    if isinstance(value, ModuleType):
        return value is not module and is_users_module(value.__name__)
    if not isinstance(value, FunctionType | type):
        return False
    return value.__module__ != module.__name__ and is_users_module(value.__module__)


def _imported_from_users(module: ModuleType, content: bytes) -> set[str]:
    """Names that a module has from others of the user's: their numbers tell not whose they are."""
    if not str(module.__file__).endswith(".py"):
        return set()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError) as error:
        raise UnknownContentError(
            f"the module {module.__name__}, whose file is no Python as it is now ({error})"
        ) from error
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            source = _named_module(node, module)
            for alias in node.names if is_users_module(source) else ():
                is_all = alias.name == "*"
                names.update(_public(source) if is_all else [alias.asname or alias.name])
    return names


def _named_module(node: ast.ImportFrom, module: ModuleType) -> str:
    """The module that a statement imports from, a relative one by its full name."""
    if not node.level:
        return str(node.module)
    parents = str(module.__package__).split(".")
    above = parents[: len(parents) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _public(name: str) -> list[str]:
    """What `from name import *` gives."""
    module = sys.modules[name]
    return list(getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]))


def _installed_name(value: Any) -> str | None:
    """The name of what other processes can import themselves."""
    if isinstance(value, ModuleType):
        return None if is_users_module(value.__name__) else value.__name__
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or is_users_module(module):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is value else None
