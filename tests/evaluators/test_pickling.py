"""Functions of a script travel to processes that know nothing of it, and are what they contain."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evaluators.reading.functions import UserCodeError
from evaluators.reading.given_functions import GivenFunction

BESIDE = """
def doubled(x):
    return factor() * x

def factor():
    return 2
"""
SCRIPT = """
import functools
from dataclasses import dataclass
import numpy as np
from beside import doubled
from evaluators.reading.given_functions import GivenFunction

SHIFT = np.arange(3.0)

def registered(of_class):
    of_class.sides = len(of_class.__annotations__)
    return of_class

@registered
@dataclass(frozen=True)
class Shape:
    scale: float
    power: int = 2

    def __call__(self, x):
        return self.scale * doubled(x) ** self.power + SHIFT

class Square(Shape):
    def __call__(self, x):
        return super().__call__(x) + Square.sides

def network(x, base={"scale": 0.5}):
    return Square(**base)(x)

given = GivenFunction.of(functools.partial(network))
print(given.content, given.sha256, given.place)
"""
LOAD = """
from pathlib import Path
from evaluators.reading.given_functions import GivenFunction
given = GivenFunction("network", "-", {sha256!r}, "-", 1)
print(given.load()(1.0).tolist())
"""


def _run(code: str, folder: Path, *, seed: str = "0") -> list[str]:
    (folder / "script.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={
            "PATH": "",
            "PYTHONHASHSEED": seed,
            "XDG_CACHE_HOME": str(folder.parent / "cache"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split(maxsplit=2)


def test_a_function_of_a_script_works_where_nobody_knows_the_script(tmp_path: Path) -> None:
    for name in ("one", "other", "empty"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "beside.py").write_text(BESIDE)
    (tmp_path / "empty" / "beside.py").unlink()
    content, sha256, place = _run(SCRIPT, tmp_path / "one")
    assert place.strip().endswith("script.py, line 27")
    loaded = " ".join(_run(LOAD.format(sha256=sha256), tmp_path / "empty"))
    assert loaded.strip() == "[4.0, 5.0, 6.0]"  # 0.5 * 2**2 + SHIFT + sides
    # Neither where it stands nor what surrounds it decides, nor the order of sets.
    moved = SCRIPT.replace("SHIFT =", "# further down\n\nOTHER = 3\nSHIFT =")
    assert _run(moved, tmp_path / "other", seed="7")[0] == content
    for old, new in (
        ("arange(3.0)", "arange(3.0) + 1"),
        ("self.power + SHIFT", "self.power - SHIFT"),
        ('"scale": 0.5', '"scale": 0.25'),
    ):
        assert old in SCRIPT
        assert _run(SCRIPT.replace(old, new), tmp_path / "other")[0] != content
    (tmp_path / "other" / "beside.py").write_text(BESIDE.replace("return 2", "return 3"))
    assert _run(SCRIPT, tmp_path / "other")[0] != content


def test_what_cannot_travel_is_told_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lock = threading.Lock()

    def network(shape: tuple[int, ...], outputs: int) -> object:
        return lock

    message = r"test_pickling.py, line \d+: network cannot be sent to a worker: cannot pickle"
    with pytest.raises(UserCodeError, match=message):
        GivenFunction.of(network)


def test_a_function_that_the_cache_has_lost_must_be_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here"))
    given = GivenFunction.of(lambda shape, outputs: None)
    assert given.load()(1, 2) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(UserCodeError, match="given by a script, and the cache has lost it"):
        given.load()
