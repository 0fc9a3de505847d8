"""Files of all targets run in their real frameworks, in fresh processes, and agree."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from grammars import CATALOGUE, Expression, parse
from grammars.export import TARGETS, Provenance, Verification, render, verify
from grammars.export.function import Function
from grammars.export.verification import Exported
from grammars.space.grammar_files import load_grammar

# What is easily got wrong: branches that poison gradients, guards, kinks, whole powers of negative
# bases, infinities, names that are taken, and functions that hold no x.
AWKWARD = (
    "where(x >= 0, log(x), sinc(x)) + tanh(x) ** 2",
    "where(x >= 1, sqrt(x - 1), 1 / (x - 1.5))",
    "where(x < 0, where(x < -1, log(-x), x + 1), sqrt(x + 1))",
    "log(1 + exp(x)) - softplus(x) + exp(x) / (1 + exp(x))",
    "max(0, x) + min(0.5 * x, x) - clip(x, -1, 2)",
    "x ** 3 - cube(x) / 2 + x ** -2 + abs(x) ** 1.5",
    "(-(-x)) ** 2 - (-x) * -2 - (x - (1 - x))",
    "sinh(x) / cosh(x) + expm1(-abs(x)) + log1p(square(x)) + asinh(x) + atan(x)",
    'param("lambda", 0.5) * swish(x) + param("x", 2, per="layer") * sin(param("t1", 1) * x)',
    'where(x >= 0, param("forward", 1.5), param("b", -0.5)) * x',
    "erf(x) * log_sigmoid(x) + sqrt(2) * cos(pi * x)",
    "gelu(tanh(2 * x)) + mish(x + 1) * elu(-x)",
    "sqrt(2) / 3",
    "1.5 / (x - x)",
    "square(x) / softplus(x)",
    "sinc(0.61 * cube(x))",
    "x * square(sinc(log_sigmoid(x)))",
    'param("a", 0.25, per="network")',
    "x",
    "swish(x)",
    "gelu(x)",
    "prelu(x)",
)


SLOW = ("keras", "flax", "equinox", "stablehlo")


def functions() -> list[Function]:
    expressions: list[Expression] = [parse(text) for text in AWKWARD]
    for name in ("core", "parametric", "piecewise"):
        generator, grammar = random.Random(name), load_grammar(name)
        expressions.append(grammar.sample(generator, depth=(2, 5)))
    given = [Function(e, f"f{i}", Provenance()) for i, e in enumerate(expressions)]
    trained = Provenance(parameters={"a": [0.5, -1.25, 2.0], "b": 0.75})
    rows = parse('param("a", 1) * sigmoid(param("b", 1) * x) + where(x >= 0, x, param("a", 1))')
    return [*given, Function(rows, "trained", trained)]


def files(target: str, folder: Path, given: list[Function]) -> list[Exported]:
    result = []
    for function in given:
        content = TARGETS[target].render(function)
        path = folder / f"{function.name}{TARGETS[target].suffix}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        result.append(Exported(TARGETS[target], path, function))
    return result


def complaints(results: list[Verification]) -> list[str]:
    return [
        f"{result.target} {result.file}: {result.reason}"
        for result in results
        if result.status == "failed"
    ]


def test_every_target_that_is_installed_agrees_with_the_reference(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="ONNX files are written with the package onnx")
    given = functions()
    # These take long to start or to compile, and are verified by `every_framework.py`.
    targets = [name for name in TARGETS if name not in SLOW]
    results = verify(
        [file for target in targets for file in files(target, tmp_path, given)], effort="quick"
    )
    assert complaints(results) == []
    assert {result.target for result in results} == set(targets)
    always = [result for result in results if result.target in ("jax", "numpy", "sympy", "latex")]
    assert {result.status for result in always} == {"verified"}
    compared = [check.compared for result in results for check in result.checks]
    assert sum(compared) > 0.5 * sum(c.points for result in results for c in result.checks)


def test_a_wrong_file_is_found_out(tmp_path: Path) -> None:
    (right,) = files("numpy", tmp_path, [Function(parse("tanh(x)"), "f", Provenance())])
    source = right.path.read_text()
    right.path.write_text(source.replace("np.tanh(x)", "np.tanh(1.0001 * x)", 1))
    (result,) = verify([right])
    assert result.status == "failed"
    assert "value, eager in float32, is off" in result.reason


def test_a_file_that_cannot_run_says_why(tmp_path: Path) -> None:
    (file,) = files("numpy", tmp_path, [Function(parse("tanh(x)"), "f", Provenance())])
    file.path.write_text("import numpy as np\n\ndef f(x):\n    return np.tanh(y)\n")
    (result,) = verify([file])
    assert result.status == "failed"
    assert "name 'y' is not defined" in result.reason


def test_a_framework_that_is_not_there_leaves_the_file_unverified(tmp_path: Path) -> None:
    (file,) = files("pytorch", tmp_path, [Function(parse("tanh(x)"), "f", Provenance())])
    # An interpreter that finds NumPy, and nothing else.
    script = tmp_path / "python"
    library = Path(numpy.__file__).parent.parent
    code = (
        "import runpy, sys, importlib.abc\n"
        "class Absent(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torch':\n"
        "            raise ImportError('absent', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"sys.path.append({str(library)!r})\n"
        "runpy.run_path(sys.argv[1], run_name='__main__')\n"
    )
    (tmp_path / "start.py").write_text(code)
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path / "start.py"} "$2"\n')
    script.chmod(0o755)
    (result,) = verify([file], interpreter=str(script))
    told = "torch is not installed; install it, or name a Python that has it"
    assert (result.status, result.reason) == ("unverified", told)
    assert str(result) == f"f_pytorch.py: unverified: {told}"


def test_the_jax_file_runs_where_the_package_cannot_be_imported(tmp_path: Path) -> None:
    (file,) = files("jax", tmp_path, [Function(parse("x * sigmoid(x)"), "f", Provenance())])
    code = (
        "import sys; sys.modules['grammars'] = None\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"from {file.path.stem} import f\n"
        "print(round(float(f(1.0)), 6))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "0.731059"


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_export_twice_gives_the_same_bytes(target: str) -> None:
    if target in ("onnx", "stablehlo"):
        pytest.importorskip({"onnx": "onnx", "stablehlo": "flatbuffers"}[target])
    expression = parse("x * sigmoid(x) + where(x >= 0, log(x), 0)")
    content = render(expression, target)
    assert render(expression, target) == content
    assert str(Path.cwd()).encode() not in (
        content.encode() if isinstance(content, str) else content
    )


@pytest.mark.parametrize("target", [name for name, row in TARGETS.items() if ".py" in row.suffix])
def test_python_files_are_formatted(target: str, tmp_path: Path) -> None:
    exported = files(target, tmp_path, functions())
    paths = [str(file.path) for file in exported]
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--line-length", "100", "--no-cache", *paths]
    formatted = subprocess.run(
        [*ruff, "format", "--diff", *options], capture_output=True, text=True, check=False
    )
    assert formatted.returncode == 0, formatted.stdout[:3000]
    checked = subprocess.run(
        [*ruff, "check", "--select", "E,F,W,I,UP,B,RUF", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout[:3000]


def test_verifying_every_framework_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    script = Path(__file__).with_name("every_framework.py")
    options = {
        "--targets": "json",
        "--samples": "0",
        "--batch": "30",
        "--workers": "1",
        "--minutes": "0",
        "--record": str(tmp_path / "record.jsonl"),
    }
    command = [sys.executable, str(script), *(word for pair in options.items() for word in pair)]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2)
    )
    assert first.returncode == 1, first.stderr
    assert f"{len(CATALOGUE) - 30} files were left for another time" in first.stdout
    assert second.returncode == 0, second.stderr
    assert f"{len(CATALOGUE)} files verified" in second.stdout
