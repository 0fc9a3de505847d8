"""Every target's files run in their real framework, in fresh processes, and agree."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from grammars import CATALOGUE, Expression, parse
from grammars.export import TARGETS, Provenance, render, verify
from grammars.export.function import Function
from grammars.export.verification import Exported
from grammars.grammar_files import grammar_names, load_grammar

# What is easily got wrong: branches that poison gradients, guards, kinks, whole powers of negative
# bases, infinities, several parameters, and functions that hold no x.
AWKWARD = (
    "where(x >= 0, log(x), sinc(x)) + tanh(x) ** 2",
    "where(x >= 1, sqrt(x - 1), 1 / (x - 1.5))",
    "where(x < 0, where(x < -1, log(-x), x + 1), sqrt(x + 1))",
    "log(1 + exp(x)) - softplus(x)",
    "exp(x) / (1 + exp(x))",
    "max(0, x) + min(0.5 * x, x) - clip(x, -1, 2)",
    "x ** 3 - cube(x) / 2 + x ** -2 + abs(x) ** 1.5",
    "(-(-x)) ** 2 - (-x) * -2 - (x - (1 - x))",
    "sinh(x) / cosh(x) + expm1(-abs(x)) + log1p(square(x)) + asinh(x) + atan(x)",
    'param("lambda", 0.5) * swish(x) + param("x", 2, per="layer") * sin(param("t1", 1) * x)',
    'where(x >= 0, param("a", 1.5), param("b", -0.5)) * x',
    "erf(x) * log_sigmoid(x) + sqrt(2) * cos(pi * x)",
    "gelu(tanh(2 * x)) + mish(x + 1) * elu(-x)",
    "sqrt(2) / 3",
    'param("a", 0.25)',
    "x",
)
SAMPLES_PER_GRAMMAR = 2


def expressions() -> list[Expression]:
    texts = [*(entry.text for entry in CATALOGUE.values()), *AWKWARD]
    drawn = []
    for name in grammar_names():
        generator = random.Random(name)
        grammar = load_grammar(name)
        drawn += [grammar.sample(generator, depth=(1, 5)) for _ in range(SAMPLES_PER_GRAMMAR)]
    return [*(parse(text) for text in texts), *drawn]


@pytest.mark.parametrize("target", TARGETS)
def test_all_functions_agree_with_the_reference(target: str, tmp_path: Path) -> None:
    row = TARGETS[target]
    files = []
    for index, expression in enumerate(expressions()):
        function = Function(expression, f"f{index}", Provenance())
        path = tmp_path / f"f{index}{row.suffix}"
        content = row.render(function)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        files.append(Exported(row, path, function))
    results = verify(files, effort="quick")
    if all("is not installed" in result.reason for result in results):
        pytest.skip(results[0].reason)
    wrong = [
        f"{file.function.expression}: {result.reason}"
        for file, result in zip(files, results, strict=True)
        if result.status != "verified"
    ]
    assert wrong == []


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_export_twice_gives_the_same_bytes(target: str) -> None:
    expression = parse("x * sigmoid(x) + where(x >= 0, log(x), 0)")
    assert render(expression, target) == render(expression, target)
