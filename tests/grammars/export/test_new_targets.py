"""A new export target is one file and one row: it is written, verified and offered from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from grammars import CATALOGUE, parse
from grammars.export import TARGETS, ExportError, Target, numpy
from grammars.export.delivery import find_targets
from grammars.export.function import Function
from grammars.export.verification import Exported, verify
from grammars.export.writing import Form, Language, python_power, write

# The only files that it would touch are its own, such as grammars/export/powers_of_two.py, and
# grammars/export/targets.py, with the row that the fixture adds. What has no form is lowered.
FORMS: dict[str, Form] = {
    **{name: form for name, form in numpy.LANGUAGE.forms.items() if name != "relu"},
    "exp": Form("np.exp2(np.float64(1.4426950408889634) * {0})"),
}
POWERS_OF_TWO = Language(FORMS, numpy.LANGUAGE.helpers, special=python_power)


def render(function: Function) -> str:
    lines = ["import math", "import numpy as np", *numpy.LANGUAGE.helpers.values()]
    for suffix, expression in (("", function.value), ("_slope", function.slope)):
        body = write((expression,), POWERS_OF_TWO, names=function.names())
        lines += [f"def {function.name}{suffix}(x):", "    kind, x = x.dtype, x.astype(float)"]
        lines += ["    with np.errstate(all='ignore'):"]
        lines += [f"        {statement}" for statement in body.statements]
        lines += [f"        value = np.broadcast_to({body.values[0]}, x.shape)"]
        lines += ["        return value.astype(kind)"]
    return "\n".join(lines) + "\n"


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Target("exp2", "_exp2.py", "powers of two", render, ("run_numpy",), prints_slope=True)
    monkeypatch.setitem(TARGETS, row.name, row)


def verified(text: str, folder: Path) -> str:
    function = Function(parse(text), "f")
    path = folder / "f_exp2.py"
    path.write_text(str(TARGETS["exp2"].render(function)))
    (result,) = verify([Exported(TARGETS["exp2"], path, function)], effort="quick")
    return f"{result.status} {result.reason}".strip()


@pytest.mark.parametrize("name", ["relu", "swish", "tanh", "mish", "gelu"])
def test_what_it_writes_is_run_and_compared(name: str, tmp_path: Path) -> None:
    assert verified(CATALOGUE[name].text, tmp_path) == "verified"


def test_what_it_writes_wrongly_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMS, "exp", Form("np.exp2({0})"))
    assert verified("exp(-x ** 2)", tmp_path).startswith("failed value")


def test_it_is_offered_by_name() -> None:
    assert [row.name for row in find_targets(["exp2"])] == ["exp2"]
    with pytest.raises(ExportError, match="did you mean 'exp2'"):
        find_targets(["exq2"])
