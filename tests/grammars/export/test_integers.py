"""Integers and booleans are computed in the default precision, in every target that takes them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy
import pytest

from grammars import parse
from grammars.export import TARGETS, render

TEXTS = ("x * sigmoid(x)", "relu(x)", "leaky_relu(x)", "square(x) - 2 * x", "sin(x)", "sqrt(2) / 3")
KINDS = ("int8", "uint8", "int16", "int32", "int64", "bool")


def load(text: str, target: str, folder: Path) -> Any:
    path = folder / f"activation{TARGETS[target].suffix}"
    path.write_text(str(render(parse(text), target)))
    specification = importlib.util.spec_from_file_location(f"integers_{target}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(("target", "default"), [("numpy", "float64"), ("jax", "float32")])
def test_integers_become_the_default_precision(
    text: str, target: str, default: str, tmp_path: Path
) -> None:
    module = load(text, target, tmp_path)
    functions = [module.activation] + ([module.activation_slope] if target == "numpy" else [])
    for kind in KINDS:
        x = numpy.array([0, 1, 1], kind)
        for function in functions:
            result = numpy.asarray(function(x))
            assert result.dtype == default
            numpy.testing.assert_array_equal(result, numpy.asarray(function(x.astype(default))))
