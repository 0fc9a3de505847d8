"""NaN, infinities and numbers below the smallest normal one give the same in every target."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy
import pytest

from grammars import CATALOGUE, parse
from grammars.export import TARGETS, Provenance
from grammars.export.comparison import Trial, check
from grammars.export.function import Function
from grammars.export.running import FileRun, Job, run_job
from grammars.export.special import special, special_points
from grammars.export.verification import Exported, verify

NAN = numpy.array([numpy.nan], numpy.float32)

# Guards and selections, each of which can hide a NaN.
HIDING = (
    "exp(x)",
    "expm1(x)",
    "sinh(x)",
    "cosh(2 * x)",
    "relu(x)",
    "x * relu(x)",
    "min(x, 1)",
    "max(0.5, x) * x",
    "max(x, sin(x))",
    "clip(x, -1, 1)",
    "square(clip(x, -1, x))",
    "where(x >= 0, x, expm1(x))",
    "softplus(x) * x",
    "log_sigmoid(x) ** 2",
    "sinc(x)",
    "abs(x) ** 0.5",
)


def exported(target: str, text: str, name: str, folder: Path) -> Exported:
    function = Function(parse(text), name, Provenance())
    content = TARGETS[target].render(function)
    path = folder / f"{name}{TARGETS[target].suffix}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Exported(TARGETS[target], path, function)


@pytest.mark.parametrize("target", ["c", "numpy", "onnx"])
def test_a_value_at_nan_is_nan_and_so_is_every_slope_that_is_not_constant(
    target: str, tmp_path: Path
) -> None:
    if target == "onnx":
        pytest.importorskip("onnxruntime")
    files = [exported(target, text, f"f{i}", tmp_path) for i, text in enumerate(HIDING)]
    (runner,) = TARGETS[target].runners
    tasks = [FileRun(file.path, file.function, NAN) for file in files]
    answer = run_job(Job(runner, tasks, "quick"), interpreter=sys.executable)
    assert (answer.failure, dict(answer.problems)) == ("", {})
    pieces = {"relu(x)", "min(x, 1)", "clip(x, -1, 1)"}
    for index, text in enumerate(HIDING):
        for key, numbers in answer.numbers[index].items():
            if key.endswith("/value") or (key.endswith("/slope") and text not in pieces):
                assert numpy.isnan(numbers).all(), (text, key, numbers)


def test_functions_of_the_catalogue_agree_at_special_inputs(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    files = [
        exported(target, entry.text, f"f{i}", tmp_path)
        for target in ("c", "numpy", "onnx", "jax")
        for i, entry in enumerate([*CATALOGUE.values()][::4])
    ]
    results = verify(files, effort="quick")
    assert [str(result) for result in results if result.status != "verified"] == []
    checks = [check for result in results for check in result.checks]
    held = {c.special for c in checks if (c.quantity, c.precision) == ("value", "float32")}
    assert held == {len(special_points())}


@pytest.mark.parametrize("target", ["c", "jax", "onnx", "stablehlo"])
def test_what_the_range_of_float32_leaves_open_is_held_against_nobody(
    target: str, tmp_path: Path
) -> None:
    if target == "onnx":
        pytest.importorskip("onnxruntime")
    texts = (
        "max(square(cosh(x)), x)",  # both are infinite long before one would overtake the other
        "max(-relu(x), -x)",  # a number that counts as 0 lies at the kink
        "erf(x) / x",  # its slope is what rounding leaves of a difference, divided by x
        "min(-x, square(x)) / exp(x)",  # as a product of infinity and 0
        "softplus(min(x / (0 / x), exp(x)))",  # as x squared by 0
    )
    files = [exported(target, text, f"f{i}", tmp_path) for i, text in enumerate(texts)]
    assert [str(r) for r in verify(files, effort="quick") if r.status != "verified"] == []


@pytest.mark.parametrize(
    ("text", "at", "wrong", "worst"),
    [
        ("exp(x)", 0, 2.7e38, "nan"),
        ("relu(x)", 0, 0.0, "nan"),
        ("tanh(x)", 1, 0.5, "inf"),
        ("log(x)", -1, 0.0, str(float(special_points()[-1]))),
    ],
)
def test_a_plausible_number_is_found_out(text: str, at: int, wrong: float, worst: str) -> None:
    function = Function(parse(text), "f", Provenance())
    trial = Trial.of(function)
    right = numpy.concatenate([trial.expected.value, special(function, {}).value.right[0]])
    assert check("eager/float32/value", trial=trial, actual=right).passed
    right[len(trial.x) + range(len(special_points()))[at]] = wrong
    found = check("eager/float32/value", trial=trial, actual=right)
    assert (found.passed, found.where) == (False, worst)


def test_a_slope_that_no_framework_can_derive_is_not_held_to_anything() -> None:
    answers = special(Function(parse("x / x * asinh(x)"), "f", Provenance()), {})
    tiny = numpy.abs(special_points()) < 1e-37
    assert not answers.derived_slope.compared[tiny].any()
    assert answers.printed_slope.compared[0]


def test_keras_layers_on_pytorch_show_a_nan(tmp_path: Path) -> None:
    if not (importlib.util.find_spec("keras") and importlib.util.find_spec("torch")):
        pytest.skip("Keras and PyTorch are extras")
    texts = ("cosh(x)", "sinh(x) ** 2", "exp(x)", "expm1(2 * x)")
    files = [exported("keras", text, f"f{i}", tmp_path) for i, text in enumerate(texts)]
    assert [str(r) for r in verify(files, effort="quick") if r.status != "verified"] == []


def test_a_processor_may_take_a_number_below_the_normal_ones_for_zero() -> None:
    function = Function(parse("log(x)"), "f", Provenance())
    answers = special(function, {}).value
    flushed = answers.right[1]
    assert numpy.isneginf(flushed[4])
    assert not answers.wrong(flushed, 1e-5).any()
