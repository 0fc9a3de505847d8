"""The target `latex`: the formula as it was found, to be included in a document with amsmath."""

from __future__ import annotations

from typing import Final

from grammars.export.function import Function
from grammars.export.writing import Form, Language, number_strength, write
from grammars.expressions.expression import NAMED_CONSTANTS, POWER, Expression
from grammars.primitives import column

_NAMED: Final = {NAMED_CONSTANTS["pi"]: r"\pi", NAMED_CONSTANTS["e"]: "e"}


def _applied(name: str) -> Form:
    return Form(name + r"\left({0}\right)")


_FORMS: Final = column("latex")

_GREEK: Final = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)
_LEGEND: Final = {
    "sigmoid": r"\sigma(x) = 1 / (1 + e^{-x})",
    "log_sigmoid": r"\sigma(x) = 1 / (1 + e^{-x})",
    "sinc": r"\mathrm{sinc}(x) = \sin(x) / x",
}


def number(value: float) -> str:
    """A number by its name, or in decimals with the exponent as a power of ten."""
    if abs(value) in _NAMED:
        return _NAMED[abs(value)] if value > 0 else f"-{_NAMED[abs(value)]}"
    text = f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    digits, _, exponent = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits


def _strength(text: str) -> int:
    """How strongly a number binds: one with a power of ten in it is no base of another power."""
    strength = number_strength(text)
    return min(strength, POWER) if "^" in text else strength


def symbol(name: str) -> str:
    """A parameter's name in mathematics: Greek where it is, upright where it is a word."""
    if name in _GREEK:
        return f"\\{name}"
    escaped = name.replace("_", r"\_")
    return escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}"


LANGUAGE: Final = Language(
    _FORMS,
    number=number,
    number_strength=_strength,
    names_repeated=False,
    longest=1_000_000,
    parentheses=r"\left({text}\right)",
)


def formula(expression: Expression) -> str:
    """An expression in mathematics, as it is written."""
    names = {parameter.name: symbol(parameter.name) for parameter in expression.parameters}
    return write((expression,), LANGUAGE, names=names).values[0]


def render(function: Function) -> str:
    """The text of a file to be included by `\\input`: the formula, and what its symbols mean."""
    used = {getattr(node, "primitive", "") for node in function.expression.walk()}
    legend = dict.fromkeys(_LEGEND[name] for name in sorted(used & _LEGEND.keys()))
    comment = "\n".join(
        f"% {line}".rstrip() for line in function.heading("An activation function.")
    )
    rows = [f"f(x) = {formula(function.expression)}", *legend]
    return comment + "\n" + "".join(f"\\[\n  {row}\n\\]\n" for row in rows)
