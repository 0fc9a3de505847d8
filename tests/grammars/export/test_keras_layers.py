"""A Keras file in models: wrapped, as an activation by name, under masks, saved and loaded."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy
import pytest

from grammars import parse
from grammars.export import render

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("keras", reason="Keras is an extra")
import keras

X = numpy.random.default_rng(0).standard_normal((2, 5, 3)).astype(numpy.float32)
PLAIN, PARAMETRIC = "x * tanh(exp(x))", 'x * sigmoid(param("beta", 1) * x)'


def load(text: str, folder: Path, name: str) -> Any:
    path = folder / f"{name}_keras.py"
    path.write_text(str(render(parse(text), "keras", name=name)))
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def assert_survives(layers: list[Any], folder: Path) -> Any:
    """Saving and loading leaves what a model computes as it was."""
    model = keras.Sequential([keras.Input(X.shape[1:]), *layers])
    before = model.predict(X, verbose=0)
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    numpy.testing.assert_array_equal(again.predict(X, verbose=0), before)
    return again


@pytest.mark.parametrize(("text", "name"), [(PLAIN, "plain"), (PARAMETRIC, "bent")])
def test_layers_can_be_wrapped(text: str, name: str, tmp_path: Path) -> None:
    layer = getattr(load(text, tmp_path, name), name.capitalize())
    model = assert_survives([keras.layers.TimeDistributed(layer())], tmp_path)
    assert model.output_shape == (None, 5, 3)
    assert layer().compute_output_shape((None, 7, 2)) == (None, 7, 2)


@pytest.mark.parametrize("kind", ["Dense", "SimpleRNN", "Conv1D", "Activation"])
def test_the_function_is_an_activation_that_is_saved(kind: str, tmp_path: Path) -> None:
    function = load(PLAIN, tmp_path, f"as_{kind.lower()}")
    used = getattr(function, f"as_{kind.lower()}")
    layer = {
        "Dense": lambda: keras.layers.Dense(4, activation=used),
        "SimpleRNN": lambda: keras.layers.SimpleRNN(4, activation=used),
        "Conv1D": lambda: keras.layers.Conv1D(2, 3, activation=used),
        "Activation": lambda: keras.layers.Activation(used),
    }[kind]()
    assert_survives([layer], tmp_path)


@pytest.mark.parametrize(("text", "name"), [(PLAIN, "thin"), (PARAMETRIC, "thick")])
def test_masks_pass_through(text: str, name: str, tmp_path: Path, recwarn: Any) -> None:
    layer = getattr(load(text, tmp_path, name), name.capitalize())
    assert_survives([keras.layers.Masking(), layer(), keras.layers.LSTM(2)], tmp_path)
    assert not [w for w in recwarn if "does not support mask" in str(w.message)]


@pytest.mark.parametrize("text", [PLAIN, "relu(x)", "x * sigmoid(x)"])
def test_integers_become_the_default_precision(text: str, tmp_path: Path) -> None:
    function = load(text, tmp_path, "counted").counted
    result = function(numpy.array([-1, 0, 2]))
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
