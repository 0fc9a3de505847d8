"""Live modules and layers compute as the exported files do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy
import pytest

from grammars import ParseError, evaluate, parse
from grammars.export import Function, Provenance, live

TEXT = "x * tanh(exp(x))"
BENT = 'param("a", 0.5) * tanh(x)'
X = numpy.linspace(-3, 3, 12, dtype=numpy.float32).reshape(4, 3)


def test_equinox_modules() -> None:
    pytest.importorskip("equinox")
    numpy.testing.assert_allclose(live.equinox(TEXT)(X), evaluate(parse(TEXT), X), rtol=1e-5)
    bent = live.equinox(parse(BENT), channels=3)
    assert bent.a.shape == (3,)
    trained = Function(parse(BENT), "bent", Provenance(parameters={"a": [1.0, 2.0, 3.0]}))
    expected = numpy.array([1, 2, 3]) * numpy.tanh(X)
    numpy.testing.assert_allclose(live.equinox(trained)(X), expected, rtol=1e-5)


def test_flax_modules() -> None:
    pytest.importorskip("flax")
    numpy.testing.assert_allclose(live.flax(TEXT)(X), evaluate(parse(TEXT), X), rtol=1e-5)
    assert live.flax(BENT, channels=3).a.shape == (3,)


@pytest.mark.parametrize("options", [{}, {"lean": True}])
def test_pytorch_modules(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    module = live.pytorch(TEXT, **options)
    numpy.testing.assert_allclose(
        module(torch.tensor(X)).numpy(), evaluate(parse(TEXT), X), rtol=1e-5
    )
    # Both need the text of the class.
    for traced in (torch.jit.script(module), torch.fx.symbolic_trace(module)):
        torch.testing.assert_close(traced(torch.tensor(X)), module(torch.tensor(X)))
    assert type(live.pytorch(TEXT)) is type(module)
    assert dict(live.pytorch(BENT, channels=3).named_parameters())["a"].shape == (3,)


def test_keras_layers_are_told_apart(tmp_path: Path) -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((3,)), live.keras(TEXT), live.keras("sin(x)")])
    expected = numpy.sin(evaluate(parse(TEXT), X))
    numpy.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    numpy.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(ParseError, match="did you mean 'sigmoid'"):
        live.pytorch("x * sigmiod(x)")
