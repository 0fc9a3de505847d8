"""Imports of a user's files, which find what lies beside them, whatever else is loaded.

Two folders may each have a `helper.py`, and a script may have loaded a third: by that name
`sys.modules` can hold one. So files beside a user's file are modules of a package of their folder
alone, and his `import helper` means `that_package.helper`, at the top of a file or in a function.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from evaluators.pickling import is_users_file

_PREFIX: Final = "actsearch_folder_"
_Import = Callable[..., ModuleType]


def import_file(path: Path, name: str) -> ModuleType:
    """The module of a user's file, run under a name that no other module has.

    Raises:
        BaseException: Whatever the file raises.
    """
    spec = importlib.util.spec_from_file_location(name, path, loader=_Loader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles of its own look there
    try:
        with _on_path(str(path.parent)):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _on_path(folder: str) -> Iterator[None]:
    """For `importlib.import_module` and pickles, at the top of a file."""
    if folder in sys.path:  # where a script has it, and stays
        yield
        return
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def digest_of(folder: Path) -> str:
    """What tells modules of one folder from those of another."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:12]


class _Loader(SourceFileLoader):
    """Runs a file with an `import` that looks beside it first."""

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader`."""
        package = module.__name__.partition(".")[0]
        if package.startswith(_PREFIX):
            (folder,) = sys.modules[package].__path__
        else:
            folder = str(Path(self.path).parent)
        # Functions keep them, so that it holds whenever they are called, and in any thread.
        own = _importing(Path(folder), Path(self.path))
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": own}
        super().exec_module(module)


class _Finder:
    """Finds modules of the packages that stand for folders."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if not name.startswith(_PREFIX):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
        return spec


def _importing(folder: Path, importer: Path) -> _Import:
    """The `import` of a file in a folder."""

    def import_(
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - as Python's own has it
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        given = globals, locals, fromlist
        top = name.partition(".")[0]
        if level or not _lies_beside(top, folder, importer):
            return builtins.__import__(name, *given, level)
        package = _package_of(folder)
        found = builtins.__import__(f"{package}.{name}", *given)
        return found if fromlist else sys.modules[f"{package}.{top}"]

    return import_


def _lies_beside(top: str, folder: Path, importer: Path) -> bool:
    """Whether a file means what is in its folder by a name, and not an installed package.

    As for a script in that folder, what lies there comes first. Folders without `__init__.py`
    come last, and what Python has loaded of its own is not looked for; nor does a file mean
    itself, as a `torch.py` that imports torch. A script that has loaded the same file shares it.
    """
    loaded = sys.modules.get(top)
    if top in sys.builtin_module_names or (loaded and top in sys.stdlib_module_names):
        return False
    spec = PathFinder.find_spec(top, [str(folder)])
    if spec is None:
        return False
    if spec.origin is not None:
        is_known = spec.origin in (str(importer), getattr(loaded, "__file__", None))
        return is_users_file(spec.origin) and not is_known
    elsewhere = PathFinder.find_spec(top)
    is_users = is_users_file(str(folder / top / "__init__.py"))
    return is_users and (elsewhere is None or elsewhere.origin is None)


def _package_of(folder: Path) -> str:
    """The name of the package that stands for a folder."""
    name = _PREFIX + digest_of(folder)
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules.setdefault(name, package)
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
    return name
