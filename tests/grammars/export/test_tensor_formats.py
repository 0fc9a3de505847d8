"""ONNX and StableHLO files of any rank, precision and operator set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from grammars import parse
from grammars.export import TARGETS, ExportError, Function, Provenance, TensorFormat, verify
from grammars.export.verification import Exported

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ROW = 'param("a", 1) * sin(param("b", 2) * x) + sinc(x)'


def exported(text: str, tensors: TensorFormat, folder: Path, target: str = "onnx") -> Exported:
    trained = {"a": [0.5, 1.5, -2.0]} if "param" in text else {}
    function = Function(parse(text), "f", Provenance(parameters=trained), tensors)
    path = folder / f"f{len(text)}_{tensors.rank}_{tensors.precision}{tensors.opset}.{target}"
    path.write_bytes(bytes(TARGETS[target].render(function)))
    return Exported(TARGETS[target], path, function)


@pytest.mark.parametrize("target", ["onnx", "stablehlo"])
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_files_of_every_rank_agree(target: str, precision: Any, tmp_path: Path) -> None:
    if target == "stablehlo":
        pytest.importorskip("flatbuffers")
    ranks = {"onnx": (0, 1, 2, 4, 5), "stablehlo": (0, 1, 4)}[target]
    wanted = [(rank, text) for rank in ranks for text in ("x * sigmoid(x)", ROW)]
    files = [
        exported(text, TensorFormat(rank, precision), tmp_path, target)
        for rank, text in wanted
        if (rank, text) != (0, ROW)
    ]
    results = verify(files, effort="quick")
    assert [str(result) for result in results if result.status != "verified"] == []
    assert {check.precision for result in results for check in result.checks} == {precision}


def test_channels_are_the_second_axis_of_a_model(tmp_path: Path) -> None:
    model = onnx.load(exported(ROW, TensorFormat(4), tmp_path).path)
    names = [
        dimension.dim_param or dimension.dim_value
        for dimension in model.graph.input[0].type.tensor_type.shape.dim
    ]
    assert names == ["batch", 3, "axis_2", "axis_3"]
    assert {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}["a"] == [3, 1, 1]


@pytest.mark.parametrize("opset", [13, 14, 17, 18, 19, 20, 21])
def test_old_operator_sets_do_without_new_operators(opset: int, tmp_path: Path) -> None:
    text = "gelu(x) + mish(x) * hard_swish(x + 1) - elu(x) + log1p(abs(x)) + softplus(x)"
    file = exported(text, TensorFormat(opset=opset), tmp_path)
    (result,) = verify([file], effort="quick")
    assert result.status == "verified", str(result)
    used = {node.op_type for node in onnx.load(file.path).graph.node}
    assert ("Gelu" in used) == (opset >= 20)
    assert ("Mish" in used) == (opset >= 18)
    assert ("HardSwish" in used) == (opset >= 14)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rank": 9}, "a file can have 0 to 8 axes; got 9"),
        ({"rank": -1}, "a file can have 0 to 8 axes; got -1"),
        ({"opset": 12}, "written for opset 13 and later; got 12"),
        ({"precision": "int8"}, "unknown precision 'int8'; expected float32 or float16"),
    ],
)
def test_what_is_not_to_be_had_is_refused(change: dict, complaint: str) -> None:
    with pytest.raises(ExportError, match=re.escape(complaint)):
        TensorFormat(**change)


def test_what_the_package_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"knows opsets up to \d+; got 999"):
        exported("tanh(x)", TensorFormat(opset=999), tmp_path)
    with pytest.raises(ExportError, match="a file for single numbers cannot hold parameters for 3"):
        exported(ROW, TensorFormat(0), tmp_path)
