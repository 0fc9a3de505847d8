"""PyTorch files go through every tracer whole, and their lean form keeps the input alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from grammars import parse
from grammars.export import Provenance, export, render

torch = pytest.importorskip("torch", reason="PyTorch is an extra")

TEXTS = (
    "x * sigmoid(1.3 * x)",
    "silu(x) + sinc(x)",
    'param("beta", 1) * tanh(exp(x)) + param("gain", 0.5) * sinc(x) * x',
    "where(x >= 0, 1.5 * x, 0.01 * sin(x))",
    "min(x, x * x) + erf(x) + 0.5 * clip(x, -1, 1)",
    "sqrt(2) + x - x",
)
OWN = ("x * sigmoid(x)", "gelu(x)", "relu(x)", "x", 'param("a", 1)')


def load(text: str, folder: Path, name: str = "activation") -> Any:
    path = folder / f"{name}_pytorch.py"
    path.write_text(str(render(parse(text), "pytorch", name=name)))
    specification = importlib.util.spec_from_file_location(f"{path.stem}_{abs(hash(text))}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


def given(text: str, module: Any) -> tuple[Any, list[Any]]:
    """Inputs in float64, and values of the parameters a channel."""
    torch.manual_seed(0)
    x = torch.randn(5, 3, dtype=torch.double, requires_grad=True)
    count = len(parse(text).parameters)
    return x, [torch.rand(3, dtype=torch.double, requires_grad=True) for _ in range(count)]


@pytest.mark.parametrize("text", [*TEXTS, *OWN])
def test_every_tracer_takes_a_module_whole(text: str, tmp_path: Path) -> None:
    kind = load(text, tmp_path).Activation
    x = torch.linspace(-3, 3, 12).reshape(4, 3)
    for module in [kind()] + ([kind(lean=True)] if hasattr(kind(), "lean") else []):
        wanted = module(x)
        torch._dynamo.reset()
        traced = (
            torch.compile(module, fullgraph=True, backend="aot_eager"),
            torch.export.export(module, (x,), strict=True).module(),
            torch.fx.symbolic_trace(module),
            torch.jit.script(module),
        )
        for function in traced:
            torch.testing.assert_close(function(x), wanted)


@pytest.mark.parametrize("text", TEXTS)
def test_the_lean_form_has_all_derivatives(text: str, tmp_path: Path) -> None:
    module = load(text, tmp_path)
    x, values = given(text, module)
    lean = module.activation_lean
    assert torch.autograd.gradcheck(
        lean, (x, *values), check_forward_ad=True, check_batched_grad=True
    )
    assert torch.autograd.gradgradcheck(lean, (x, *values))


@pytest.mark.parametrize("text", TEXTS)
def test_the_lean_form_goes_through_functional_transformations(text: str, tmp_path: Path) -> None:
    module = load(text, tmp_path)
    x, values = given(text, module)
    func = torch.func

    def both(transform: Any, *arguments: Any) -> None:
        plain, lean = (
            transform(lambda a, f=f: f(a, *values, *([0] if values else [])))(*arguments)
            for f in (module.activation, module.activation_lean)
        )
        torch.testing.assert_close(lean, plain)

    both(func.vmap, x)
    both(lambda f: func.vmap(func.grad(lambda a: f(a).sum())), x)
    both(lambda f: lambda a: func.jvp(lambda b: f(b).sum(), (a,), (torch.ones_like(a),)), x[0])
    both(lambda f: func.hessian(lambda a: f(a).sum()), x[0])
    both(func.jacrev, x[0])


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16", "float64"])
def test_the_lean_form_computes_the_same(precision: str, tmp_path: Path) -> None:
    kind = load(TEXTS[2], tmp_path).Activation
    results = []
    for module in (kind(3), kind(3, lean=True)):
        x = torch.linspace(-3, 3, 12).reshape(4, 3).to(getattr(torch, precision)).requires_grad_()
        value = module(x)
        value.sum().backward()
        results.append((value, x.grad, module.beta.grad, module.gain.grad))
    for plain, lean in zip(*results, strict=True):
        assert plain.dtype == lean.dtype
        torch.testing.assert_close(lean, plain)


def test_the_verification_says_what_each_form_keeps(tmp_path: Path) -> None:
    texts = ("x * sigmoid(1.3 * x)", "x * sigmoid(x)", 'sinc(param("a", 1) * x) * exp(x)')
    kept = [export(parse(text), ["torch"], tmp_path)[0].kept for text in texts]
    assert kept[0] == {"eager": 2.0, "lean": 1.0}
    assert kept[1] == {"eager": 1.0}
    assert kept[2]["eager"] > 5
    assert kept[2]["lean"] == 1.0
    (result,) = export(parse(texts[0]), ["pytorch"], tmp_path)
    assert "keeps for the backward pass, in sizes of x: eager 2, lean 1" in str(result)


@pytest.mark.parametrize("text", [*TEXTS, *OWN])
def test_integers_are_computed_in_the_default_precision(text: str, tmp_path: Path) -> None:
    module = load(text, tmp_path).Activation()
    for x in (torch.arange(-3, 4), torch.arange(4, dtype=torch.uint8), torch.tensor([True, False])):
        assert module(x).dtype == torch.float32
        torch.testing.assert_close(module(x), module(x.float()))


def test_trained_values_a_channel_survive_every_tracer(tmp_path: Path) -> None:
    path = tmp_path / "trained_pytorch.py"
    provenance = Provenance(parameters={"a": [0.5, 1.5, -1.0]})
    export(parse('param("a", 1) * tanh(x)'), ["torch"], path, name="trained", provenance=provenance)
    assert path.exists()
