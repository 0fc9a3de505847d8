"""The target `sympy`: an exact expression to differentiate, simplify and print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from grammars.export.function import Function, TrainedParameter
from grammars.export.python_source import indented, module, start
from grammars.export.writing import ARITHMETIC, Form, Language, Special, whole_exponent, write
from grammars.expression import ATOM, NAMED_CONSTANTS, NEGATION, POWER, SUM, Call

_NAMED: Final = {NAMED_CONSTANTS["pi"]: "sympy.pi", NAMED_CONSTANTS["e"]: "sympy.E"}

_FORMS: Final = {
    **ARITHMETIC,
    "abs": Form("sympy.Abs({0})"),
    "square": Form("{0} ** 2", POWER, (ATOM,)),
    "cube": Form("{0} ** 3", POWER, (ATOM,)),
    "sqrt": Form("sympy.sqrt({0})"),
    "exp": Form("sympy.exp({0})"),
    "expm1": Form("sympy.exp({0}) - 1", SUM),
    "log": Form("sympy.log({0})"),
    "log1p": Form("sympy.log(1 + {0})", ATOM, (SUM + 1,)),
    "sin": Form("sympy.sin({0})"),
    "cos": Form("sympy.cos({0})"),
    # The derivative of sympy.sinc has no value at 0.
    "sinc": Form(
        "sympy.Piecewise((sympy.sin({0}) / {0}, sympy.Ne({0}, 0)), (1, True))", ATOM, (ATOM,)
    ),
    "sinh": Form("sympy.sinh({0})"),
    "cosh": Form("sympy.cosh({0})"),
    "tanh": Form("sympy.tanh({0})"),
    "asinh": Form("sympy.asinh({0})"),
    "atan": Form("sympy.atan({0})"),
    "sigmoid": Form("1 / (1 + sympy.exp(-({0})))", SUM + 1),
    "log_sigmoid": Form("-sympy.log(1 + sympy.exp(-({0})))", NEGATION),
    "softplus": Form("sympy.log(1 + sympy.exp({0}))"),
    "erf": Form("sympy.erf({0})"),
    "relu": Form("sympy.Max({0}, 0)"),
    "pow": Form("{0} ** {1}", POWER, (ATOM, POWER)),
    "max": Form("sympy.Max({0}, {1})"),
    "min": Form("sympy.Min({0}, {1})"),
    "clip": Form("sympy.Min(sympy.Max({0}, {1}), {2})"),
    "where": Form("sympy.Piecewise(({1}, {0} >= 0), ({2}, True))"),
}


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
