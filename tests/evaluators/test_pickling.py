"""Functions of a script travel to processes that know nothing of it, and are what they contain."""

from __future__ import annotations

import subprocess
import sys
import textwrap
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


MODELS = """
import numpy as np
import layers
from layers import WIDTH, block as part
from whole import *

def run(x):
    return WIDTH * part(x) + layers.shift() + SUM
"""
LAYERS = """
WIDTH = 3
SHIFT = 1

def block(x):
    return 2 * x

def shift():
    return SHIFT
"""
OF_MODULES = """
import models
from evaluators.reading.given_functions import GivenFunction

def network(x):
    return models.run(x)

given = GivenFunction.of(network)
print(given.content, given.sha256, given.place)
"""


def test_modules_that_a_module_imports_decide_too(tmp_path: Path) -> None:
    texts = {"models.py": MODELS, "layers.py": LAYERS, "whole.py": "SUM = 4\n"}

    def content(**changed: str) -> list[str]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_text(changed.get(name.removesuffix(".py"), text))
        return _run(OF_MODULES, folder)

    first, sha256, _ = content()
    assert content()[0] == first
    for old, new in (("WIDTH = 3", "WIDTH = 5"), ("SHIFT = 1", "SHIFT = 2"), ("2 * x", "3 * x")):
        assert content(layers=LAYERS.replace(old, new))[0] != first
    assert content(whole="SUM = 5\n")[0] != first
    (tmp_path / "empty").mkdir()
    assert _run(LOAD.format(sha256=sha256).replace(".tolist()", ""), tmp_path / "empty") == ["11.0"]


def test_a_module_that_imports_none_of_the_users_is_its_file(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "models.py").write_text("import json\nfrom math import pi\nrun = abs\n")
    content, *_ = _run(OF_MODULES, tmp_path / "here")
    known = textwrap.dedent(
        """
        import hashlib
        import models
        from evaluators.pickling import contents

        file = hashlib.sha256(open(models.__file__, "rb").read()).hexdigest()
        contents._Digester._module = lambda self, module: iter([file])
        """
    )
    assert _run(known + OF_MODULES, tmp_path / "here")[0] == content


LATE = """
from pathlib import Path
from evaluators.reading.functions import UserCodeError
from evaluators.networks import OwnNetwork

def network(shape, outputs):
    from beside import doubled
    return doubled

kept = OwnNetwork(function=network)
Path("beside.py").unlink()
try:
    kept.made((8, 8), 10)
except UserCodeError as error:
    print(error)
"""


def test_a_script_s_import_in_a_function_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "beside.py").write_text(BESIDE)
    told = " ".join(_run(LATE, tmp_path / "here"))
    assert "script.py, line 7: making the network raised ModuleNotFoundError" in told
    assert "must import files beside it at the top" in told


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


RULES = """
import functools
import jax
from evaluators.reading.given_functions import GivenFunction

@jax.custom_vjp
def doubled(x):
    return 2.0 * x

def forward(x):
    return doubled(x), 3.0

def backward(kept, slope):
    return (kept * slope,)

doubled.defvjp(forward, backward)

@jax.custom_jvp
def halved(x):
    return 0.5 * x

@halved.defjvp
def _(points, slopes):
    return halved(*points), 5.0 * slopes[0]

class Scale:
    def __init__(self, by):
        functools.update_wrapper(self, doubled)
        self.by = by

    def __call__(self, x):
        return self.by * doubled(x)

def network(x):
    return jax.grad(lambda x: Scale(1.0)(x))(x) + jax.grad(halved)(x) + scale(x)

scale = Scale(10.0)
given = GivenFunction.of(network)
print(given.content, given.sha256, given.place)
"""


def test_rules_of_differentiation_and_what_wrappers_add_belong_to_a_function(
    tmp_path: Path,
) -> None:
    for name in ("one", "other", "empty"):
        (tmp_path / name).mkdir()
    content, sha256, _ = _run(RULES, tmp_path / "one")
    assert _run(RULES, tmp_path / "other", seed="7")[0] == content
    loaded = " ".join(_run(LOAD.format(sha256=sha256), tmp_path / "empty"))
    assert loaded.strip() == "28.0"  # 3 + 5 + 10 * 2
    for old, new in (
        ("x), 3.0", "x), 4.0"),
        ("(kept * slope,)", "(2 * kept * slope,)"),
        ("5.0 * slopes", "6.0 * slopes"),
        ("Scale(10.0)", "Scale(11.0)"),
    ):
        assert old in RULES
        assert _run(RULES.replace(old, new), tmp_path / "other")[0] != content, new
