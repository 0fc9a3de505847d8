"""Names that mean something elsewhere: files compile whatever a parameter is called."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from grammars import parse
from grammars.export import ExportError, Function, render, verify
from grammars.export.targets import TARGETS
from grammars.export.verification import Exported

# By what they mean: macros, constants, C++ keywords and operators, functions, Python, our own.
PARAMETERS = (
    *("NAME", "NAN", "INFINITY", "I", "NULL", "EOF", "linux", "unix", "M_PI", "HUGE_VAL"),
    *("class", "template", "new", "bool", "and", "xor_eq", "constexpr", "concept", "nullptr"),
    *("typeof", "restrict", "main", "log2", "cbrtf", "hypotl", "lgamma_r", "isnan", "abs", "index"),
    *("lambda", "super", "tuple", "float", "y", "t1", "lean", "grad", "ctx", "wide", "slopes"),
)

# Function and parameter that only together are taken.
TOGETHER = (("m", "e"), ("fp", "nan"), ("huge", "val"), ("flt", "max"), ("act", "h"))
BESIDE = ("slope", "max", "min", "clip", "sinc", "sigmoid", "softplus", "lean")


def checked(function: Function, target: str, folder: Path) -> str:
    path = folder / f"{function.name}{TARGETS[target].suffix}"
    content = TARGETS[target].render(function)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (result,) = verify([Exported(TARGETS[target], path, function)], effort="quick")
    return "" if result.status == "verified" else str(result)


def test_parameters_of_any_name_compile_in_c_and_cpp(tmp_path: Path) -> None:
    if not shutil.which("c++"):
        pytest.skip("no C++ compiler")
    for first in range(0, len(PARAMETERS), 10):
        names = PARAMETERS[first : first + 10]
        terms = [f'param("{name}", 0.5) * sinc({i + 1} * x)' for i, name in enumerate(names)]
        function = Function(parse(" + ".join(terms)), f"f{first}")
        assert checked(function, "c", tmp_path) == ""


@pytest.mark.parametrize(("name", "parameter"), TOGETHER)
def test_macros_of_name_and_parameter_are_those_of_no_header(
    name: str, parameter: str, tmp_path: Path
) -> None:
    function = Function(parse(f'param("{parameter}", 0.5) * tanh(x)'), name)
    assert checked(function, "c", tmp_path) == ""


def test_parameters_are_not_called_like_what_stands_beside_the_function(tmp_path: Path) -> None:
    terms = [f'param("act_{end}", 0.5) * sinh({i + 1} * x)' for i, end in enumerate(BESIDE)]
    function = Function(parse(" + ".join(terms)), "act")
    assert [p.name for p in function.parameters] == [f"act_{end}_" for end in BESIDE]
    assert checked(function, "c", tmp_path) == ""


@pytest.mark.parametrize("parameter", ["y", "inf", "nan", "slope", "constant_0"])
def test_parameters_may_be_called_like_parts_of_a_graph(parameter: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    for text in (f'param("{parameter}", 1)', f'param("{parameter}", 1) * log(0 * x + 2) + 0.5'):
        assert checked(Function(parse(text)), "onnx", tmp_path) == ""


@pytest.mark.parametrize(
    "name",
    [
        *("cbrt", "log2", "hypot", "abs", "exp2f", "lgamma_r", "fmal", "isnan", "printf", "index"),
        *("class", "new", "nullptr", "co_await", "xor", "NAN", "linux", "I", "bool", "char8_t"),
        *("super", "tuple", "ValueError", "match", "npt", "START"),
    ],
)
def test_the_function_is_not_called_what_means_something_else(name: str) -> None:
    with pytest.raises(ExportError, match=f"choose another, such as '{re.escape(name)}_activation"):
        render(parse("tanh(x)"), "c", name=name)


@pytest.mark.parametrize("name", ["log2x", "newton", "absolute", "klass", "mish_abs", "swish2f"])
def test_names_that_only_begin_so_are_free(name: str, tmp_path: Path) -> None:
    assert checked(Function(parse("min(x, exp(x))"), name), "c", tmp_path) == ""
