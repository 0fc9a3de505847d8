"""The target `sympy`: an exact expression to differentiate, simplify and print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from grammars.export.function import Function, TrainedParameter
from grammars.export.python_source import indented, module, start
from grammars.export.writing import Form, Language, Special, whole_exponent, write
from grammars.expressions.expression import ATOM, NAMED_CONSTANTS, POWER, Call
from grammars.primitives import column

_NAMED: Final = {NAMED_CONSTANTS["pi"]: "sympy.pi", NAMED_CONSTANTS["e"]: "sympy.E"}

_FORMS: Final = column("sympy")


def number(value: float) -> str:
    """An exact number: a named constant, an integer, or all digits of a float."""
    if abs(value) in _NAMED:
        return _NAMED[abs(value)] if value > 0 else f"-{_NAMED[abs(value)]}"
    if value.is_integer() and abs(value) < 1e15:
        return f"sympy.Integer({value:.0f})"
    return f"sympy.Float({value!r}, 17)"


def _special(node: Call) -> Special:
    exponent = whole_exponent(node)
    if exponent is None:
        return None
    return Form(f"{{0}} ** {exponent}", POWER, (ATOM,)), node.operands[:1]


LANGUAGE: Final = Language(_FORMS, number=number, special=_special)


def render(function: Function) -> str:
    """The source of a module that needs SymPy alone and defines the expression and a function."""
    symbols = {p.original: f'PARAMETERS["{p.name}"]' for p in function.parameters}
    body = write((function.expression,), LANGUAGE, names=symbols)
    lines = ['x = sympy.Symbol("x", real=True)']
    lines.append(_table("PARAMETERS", "sympy.Symbol", _symbol, function))
    lines.append(_table("START", "float | tuple[float, ...]", start, function))
    lines += [*body.statements, f"EXPRESSION = sympy.sympify({body.values[0]})"]
    return module(
        function,
        "An activation function for SymPy.",
        imports="import sympy",
        parts=[_definition(function)],
        assignments=["\n".join(lines)],
    )


def _symbol(parameter: TrainedParameter) -> str:
    return f'sympy.Symbol("{parameter.name}", real=True)'


def _table(
    name: str, kind: str, entry: Callable[[TrainedParameter], str], function: Function
) -> str:
    """A dictionary with one entry a trainable parameter."""
    entries = [f'    "{p.name}": {entry(p)},' for p in function.parameters]
    body = "\n".join(["{", *entries, "}"]) if entries else "{}"
    return f"{name}: dict[str, {kind}] = {body}"


def _definition(function: Function) -> str:
    lines = [
        '"""The expression at another argument, its trainable parameters left as symbols."""',
        "return EXPRESSION.subs(x, argument)",
    ]
    return f"def {function.name}(argument: sympy.Expr) -> sympy.Expr:\n{indented(lines)}"
