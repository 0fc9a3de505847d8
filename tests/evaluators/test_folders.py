"""Files beside a user's file: each folder has its own, whatever else is loaded by their names."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evaluators.pickling import content_of, dumps
from evaluators.reading.functions import FileFunction, UserCodeError

NET = """
import json
from dataclasses import dataclass
import helper
from helper import WIDTH
from parts.inner import DEPTH
from evaluators.reading import files

@dataclass
class Size:
    width: int = WIDTH

def network():
    import helper as again
    from later import HEIGHT
    return Size().width, DEPTH, HEIGHT, again.twice(), again is helper
"""
HELPER = "from base import twice_of\nWIDTH = {0}\ndef twice():\n    return twice_of(WIDTH)\n"


@pytest.fixture(autouse=True)
def same_modules() -> Iterator[None]:
    before, path = dict(sys.modules), list(sys.path)
    yield
    sys.modules.clear()
    sys.modules.update(before)
    sys.path[:] = path


def _folder(parent: Path, number: int) -> Path:
    folder = parent / f"m{number}"
    (folder / "parts").mkdir(parents=True)
    (folder / "net.py").write_text(NET)
    (folder / "helper.py").write_text(HELPER.format(number))
    (folder / "base.py").write_text("def twice_of(x):\n    return 2 * x\n")
    (folder / "later.py").write_text(f"HEIGHT = {number}\n")
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "inner.py").write_text("from .number import DEPTH\nimport helper\n")
    (folder / "parts" / "number.py").write_text(f"DEPTH = {number}\n")
    return folder


def _loaded(folder: Path, named: str = "net.py:network") -> Any:
    return FileFunction.named(named, folder=folder).load()


def test_folders_have_their_own_helpers_when_loaded_and_when_called(tmp_path: Path) -> None:
    sys.modules["helper"] = ModuleType("helper")  # such as the calling script's
    path, known = list(sys.path), sys.modules["helper"]
    functions = [_loaded(_folder(tmp_path, number)) for number in (1, 2)]
    assert [function() for function in functions] == [(n, n, n, 2 * n, True) for n in (1, 2)]
    assert sys.modules["helper"] is known
    assert sys.path == path
    assert not {"base", "later", "parts"} & sys.modules.keys()


def test_installed_packages_are_loaded_once_and_a_file_is_not_itself(tmp_path: Path) -> None:
    import numpy as np

    (tmp_path / "numpy.py").write_text("import numpy\ndef array():\n    return numpy\n")
    assert _loaded(tmp_path, "numpy.py:array")() is np
    assert sys.modules["numpy"] is np


def test_a_script_and_a_file_beside_it_share_their_helper(tmp_path: Path) -> None:
    (tmp_path / "shared_helper.py").write_text("SEEN = []\n")
    (tmp_path / "net.py").write_text(
        "import shared_helper\ndef network():\n    return shared_helper\n"
    )
    sys.path.insert(0, str(tmp_path))
    import shared_helper  # type: ignore[import-not-found]

    path = list(sys.path)
    assert _loaded(tmp_path)() is shared_helper
    assert sys.path == path


def test_they_travel_by_value_and_are_what_they_contain(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import helper\ndef network():\n    return helper.twice()\n")
    contents: list[str] = []
    for number in (1, 2, 1):
        folder = _folder(tmp_path / str(len(contents)), number)
        (folder / "net.py").write_text((tmp_path / "net.py").read_text())
        function = _loaded(folder)
        contents.append(content_of(function))
        pickled = dumps(function)
        for name in [name for name in sys.modules if name.startswith("actsearch_folder_")]:
            del sys.modules[name]
        assert pickle.loads(pickled)() == 2 * number  # noqa: S301 - our own
    assert contents[0] == contents[2] != contents[1]


def test_threads_load_one_module_of_a_file(tmp_path: Path) -> None:
    folders = [_folder(tmp_path, number) for number in (1, 2)] * 4
    with ThreadPoolExecutor(8) as threads:
        functions = list(threads.map(_loaded, folders))
        results = list(threads.map(lambda function: function(), functions))
    assert results == [(n, n, n, 2 * n, True) for n in (1, 2)] * 4
    assert len(set(functions)) == 2


def test_what_lies_nowhere_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import nowhere\n")
    message = r"net.py, line 1: importing it raised ModuleNotFoundError: No module named 'nowhere'"
    with pytest.raises(UserCodeError, match=message):
        _loaded(tmp_path)
