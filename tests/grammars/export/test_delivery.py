"""Exporting puts verified files in place, and reports what it found."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grammars import parse
from grammars.export import (
    TARGETS,
    ExportError,
    Function,
    MissingPackageError,
    Provenance,
    Timing,
    delivery,
    export,
    read_json,
    render,
)

SWISH = parse("x * sigmoid(x)")


def test_files_and_report_are_written(tmp_path: Path) -> None:
    results = export(SWISH, ["numpy", "json"], tmp_path / "new", name="swish_like")
    assert [result.status for result in results] == ["verified", "verified"]
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["swish_like.json", "swish_like_numpy.py", "verification.json"]
    report = json.loads((tmp_path / "new" / "verification.json").read_text())
    entry = report["files"]["swish_like_numpy.py"]
    assert entry["expression"] == "x * sigmoid(x)"
    assert entry["verifications"][0]["status"] == "verified"
    assert {check["quantity"] for check in entry["verifications"][0]["checks"]} == {
        "value",
        "slope",
    }


def test_a_later_export_keeps_the_earlier_entries(tmp_path: Path) -> None:
    export(SWISH, ["json"], tmp_path)
    export(SWISH, ["latex"], tmp_path, verify_files=False)
    report = json.loads((tmp_path / "verification.json").read_text())
    assert list(report["files"]) == ["activation.json", "activation.tex"]
    (unverified,) = report["files"]["activation.tex"]["verifications"]
    assert (unverified["status"], unverified["reason"]) == ("unverified", "not asked for")


def test_what_is_not_delivered_leaves_what_is_said_of_an_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(SWISH, ["json"], tmp_path)
    broken = replace(TARGETS["json"], render=lambda function: "not JSON")
    monkeypatch.setitem(TARGETS, "json", broken)
    (result,) = export(parse("tanh(x)"), ["json"], tmp_path)
    assert result.status == "failed"
    assert read_json(tmp_path / "activation.json").expression == SWISH
    (entry,) = json.loads((tmp_path / "verification.json").read_text())["files"].values()
    assert entry["expression"] == "x * sigmoid(x)"
    assert entry["verifications"][0]["status"] == "verified"


def test_processes_that_export_to_one_folder_all_enter_the_report(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from grammars import parse; "
        "from grammars.export import export\n"
        "for n in range(8): export(parse('tanh(x)'), ['json'], Path(sys.argv[1]), "
        "name=f'{sys.argv[2]}{n}', verify_files=False)"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "ab"]
    assert [each.wait(timeout=120.0) for each in both] == [0, 0]
    report = json.loads((tmp_path / "verification.json").read_text())
    assert list(report["files"]) == [f"{name}{n}.json" for name in "ab" for n in range(8)]


def test_a_function_cannot_take_the_name_of_the_report(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"verification\.json is where the results"):
        export(SWISH, ["json"], tmp_path, name="verification")


def test_a_single_target_may_name_its_file(tmp_path: Path) -> None:
    export(SWISH, ["json"], tmp_path / "mine.json")
    assert read_json(tmp_path / "mine.json").expression == SWISH
    with pytest.raises(ExportError, match="2 targets are asked for; name a directory"):
        export(SWISH, ["json", "c"], tmp_path / "mine.h")


def test_a_folder_may_have_a_dot_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "v1.0"
    (result,) = export(SWISH, ["numpy"], folder)
    assert (result.status, result.file) == ("verified", "activation_numpy.py")
    assert (folder / "activation_numpy.py").exists()
    export(SWISH, ["json", "c"], tmp_path / "2.0", verify_files=False)
    assert (tmp_path / "2.0" / "activation.h").exists()


@pytest.mark.parametrize("name", ["numpy.py", "json.py", "my.own.py", "run_numpy.py"])
def test_a_file_may_be_called_like_a_module(tmp_path: Path, name: str) -> None:
    (result,) = export(SWISH, ["numpy"], tmp_path / name)
    assert str(result).startswith(f"{name}: verified with numpy")


def test_a_file_that_is_none_of_the_targets_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"notes.txt is a file that does not end in \.py or \.h"):
        export(SWISH, ["numpy", "c"], tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("a-b", "a name is a letter"),
        ("../x", "a name is a letter"),
        ("lambda", "another meaning"),
        ("x", "another meaning"),
        ("t1", "another meaning"),
        ("é", "a name is a letter"),
        ("n" * 61, "at most 60"),
        ("", "a name is a letter"),
    ],
)
def test_names_that_files_cannot_use_are_refused(name: str, complaint: str) -> None:
    with pytest.raises(ExportError, match=complaint):
        render(SWISH, "jax", name=name)


def test_unknown_targets_are_refused_with_the_nearest() -> None:
    with pytest.raises(ExportError, match="unknown target 'pytorhc'; did you mean 'pytorch'"):
        render(SWISH, "pytorhc")
    with pytest.raises(ExportError, match="no target given"):
        export(SWISH, [], Path("nowhere"))


def test_torch_is_pytorch_by_another_name(tmp_path: Path) -> None:
    assert render(SWISH, "torch") == render(SWISH, "pytorch")
    (result, _) = export(SWISH, ["torch", "pytorch", "json"], tmp_path, verify_files=False)
    assert (result.target, result.file) == ("pytorch", "activation_pytorch.py")
    with pytest.raises(ExportError, match="unknown target 'torhc'"):
        render(SWISH, "torhc")


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a package one that is not installed."""

    def hide(name: str) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda wanted: None if wanted == name else find(wanted)
        )

    return hide


@pytest.mark.parametrize(("package", "target"), [("onnx", "onnx"), ("flatbuffers", "stablehlo")])
def test_a_missing_package_leaves_out_its_own_target(
    package: str, target: str, tmp_path: Path, without: Callable[[str], None]
) -> None:
    without(package)
    results = export(SWISH, ["all"], tmp_path, verify_files=False)
    assert {result.target: result.status for result in results} == {
        name: "unwritten" if name == target else "unverified" for name in TARGETS
    }
    (missing,) = [result for result in results if result.target == target]
    assert str(missing) == (
        f"activation.{target}: not written: the target {target} needs the package {package}; "
        f"install it, or actsearch[export-{target}]"
    )
    assert len(list(tmp_path.iterdir())) == len(TARGETS)
    with pytest.raises(MissingPackageError, match=f"needs the package {package}"):
        export(SWISH, [target], tmp_path)


def test_one_targets_failure_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(function: Function) -> str:
        raise KeyError("nobody thought of that")

    rows = {**TARGETS, "c": replace(TARGETS["c"], render=broken)}
    monkeypatch.setattr(delivery, "TARGETS", rows)
    numpy_file, header, document = export(SWISH, ["numpy", "c", "json"], tmp_path)
    assert [r.status for r in (numpy_file, header, document)] == ["verified", "failed", "verified"]
    assert "it cannot be written: KeyError('nobody thought of that')" in header.reason
    assert not (tmp_path / "activation.h").exists()
    assert (tmp_path / "activation.json").exists()
    with pytest.raises(KeyError, match="nobody thought of that"):
        export(SWISH, ["c"], tmp_path)


def test_what_users_wrote_cannot_leave_its_comment() -> None:
    hostile = 'x"""\nimport os\n*/ int evil; /* \\ \x00 %'
    provenance = Provenance(campaign=hostile, properties={hostile: hostile})
    for target in ("jax", "c", "latex", "sympy"):
        text = render(SWISH, target, provenance=provenance)
        assert isinstance(text, str)
        assert not any(line.startswith("import os") for line in text.splitlines())
        assert text.count('"""') % 2 == 0
        assert text.count("/*") == text.count("*/")
    assert compile(str(render(SWISH, "jax", provenance=provenance)), "file", "exec")


def test_the_head_of_a_file_tells_where_it_comes_from() -> None:
    provenance = Provenance(
        campaign="demo", candidate_id="abc", score=1.25, properties={"monotone": "no"}, version="9"
    )
    text = render(SWISH, "jax", provenance=provenance)
    for line in (
        "f(x) = x * sigmoid(x)",
        "Source campaign: demo",
        "Candidate: abc",
        "Score: 1.25",
        "Monotone: no",
        "Written by: actsearch 9",
    ):
        assert line in str(text)


def test_parameters_for_different_numbers_of_channels_are_refused() -> None:
    expression = parse('param("a", 1) * x + param("b", 1)')
    provenance = Provenance(parameters={"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]})
    with pytest.raises(ExportError, match=r"trained for \[2, 3\] channels"):
        render(expression, "pytorch", provenance=provenance)


def test_the_function_and_its_class_never_share_a_name() -> None:
    assert "class SwishModule(nn.Module)" in str(render(SWISH, "pytorch", name="Swish"))
    assert "class MySwish(nn.Module)" in str(render(SWISH, "pytorch", name="my_swish"))


def test_trained_values_must_be_numbers() -> None:
    provenance = Provenance(parameters={"a": [1.0, float("nan")]})
    with pytest.raises(ExportError, match="one finite number, or one a channel"):
        render(parse('param("a", 1) * x'), "jax", provenance=provenance)


def test_values_of_parameters_that_the_expression_lacks_are_refused() -> None:
    provenance = Provenance(parameters={"beta": 1.0})
    with pytest.raises(ExportError, match=r"values for 'beta'.* its trainable parameters: a"):
        render(parse('param("a", 1) * x'), "jax", provenance=provenance)


def test_a_function_is_read_back_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    expression = parse('param("a", 1) * x + param("b", 2)')
    given = Function(
        expression,
        "bent",
        Provenance("demo", "abc", 1.25, {"smooth": "yes"}, parameters={"a": [0.5, 1.5], "b": 3.0}),
    )
    path = tmp_path / "bent.json"
    path.write_text(str(TARGETS["json"].render(given)))
    read = read_json(path)
    assert (read.expression, read.name) == (expression, "bent")
    assert [parameter.value for parameter in read.parameters] == [(0.5, 1.5), 3.0]
    assert read.provenance.facts() == given.provenance.facts()


def test_a_text_that_is_too_long_to_be_read_back_is_not_delivered(tmp_path: Path) -> None:
    terms = [f'param("a_parameter_with_a_long_name_{i}", 1)' for i in range(200)]
    groups = [f"({' + '.join(terms[i::4])})" for i in range(4)]
    expression = parse(" + ".join(["x", *groups]))
    assert len(str(expression)) > 10_000
    (result,) = export(expression, ["json"], tmp_path)
    assert result.status == "failed"
    assert "it cannot be read back: the text has" in result.reason


def test_of_a_json_file_the_expression_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    path.write_text('{"format": "actsearch-expression", "version": 1, "expression": "tanh(x)"}')
    assert read_json(path) == Function(parse("tanh(x)"))


def test_timings_are_part_of_the_report_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timing = Timing("jax 0", "compiled", "exported", 0.5)
    monkeypatch.setattr(delivery, "measure_speed", lambda *given, **options: [timing])
    (result,) = export(SWISH, ["jax"], tmp_path, speed=True)
    assert result.timings == (timing,)
    report = json.loads((tmp_path / "verification.json").read_text())
    (entry,) = report["files"]["activation_jax.py"]["verifications"]
    assert [row["nanoseconds"] for row in entry["timings"]] == [0.5]


def test_huge_expressions_are_refused() -> None:
    with pytest.raises(ExportError, match=r"1,0\d\d nodes; at most 1,000"):
        render(parse(_wide()), "jax")


def _wide() -> str:
    """A shallow expression of more than a thousand nodes."""
    parts = ["sin(x)"] * 340
    while len(parts) > 1:
        pairs = zip(parts[::2], [*parts[1::2], "x"] if len(parts) % 2 else parts[1::2], strict=True)
        parts = [f"({left} + {right})" for left, right in pairs]
    return parts[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not a JSON document"),
        ("[1]", "not an exported expression"),
        ('{"format": "actsearch-expression", "version": 2}', "of version 2; this program reads 1"),
        ('{"format": "actsearch-expression", "version": 1}', '"expression" must be a text'),
        (
            '{"format": "actsearch-expression", "version": 1, "expression": "sigmiod(x)"}',
            "did you mean 'sigmoid'",
        ),
        (
            '{"format": "actsearch-expression", "version": 1, "expression": "x", "parameters": 3}',
            "are not as an export writes them",
        ),
        ("[" * 200_000, "not a JSON document"),
    ],
)
def test_bad_json_is_explained(content: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=complaint):
        read_json(path)
