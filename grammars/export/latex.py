"""The target `latex`: the formula as it was found, to be included in a document with amsmath."""

from __future__ import annotations

from typing import Final

from grammars.export.function import Function
from grammars.export.writing import Form, Language, write
from grammars.expression import ATOM, NAMED_CONSTANTS, NEGATION, POWER, PRODUCT, SUM, Expression

_NAMED: Final = {NAMED_CONSTANTS["pi"]: r"\pi", NAMED_CONSTANTS["e"]: "e"}


def _applied(name: str) -> Form:
    return Form(name + r"\left({0}\right)")


_FORMS: Final = {
    "neg": Form("-{0}", NEGATION, (POWER,)),
    "add": Form("{0} + {1}", SUM, (SUM, PRODUCT)),
    "sub": Form("{0} - {1}", SUM, (SUM, PRODUCT)),
    "mul": Form(r"{0} \cdot {1}", PRODUCT, (PRODUCT, POWER)),
    "div": Form(r"\frac{{{0}}}{{{1}}}", POWER),
    "abs": Form(r"\left|{0}\right|"),
    "square": Form("{{{0}}}^{{2}}", POWER, (ATOM,)),
    "cube": Form("{{{0}}}^{{3}}", POWER, (ATOM,)),
    "pow": Form("{{{0}}}^{{{1}}}", POWER, (ATOM, 0)),
    "sqrt": Form(r"\sqrt{{{0}}}"),
    "exp": Form("e^{{{0}}}", POWER),
    "expm1": Form("e^{{{0}}} - 1", SUM),
    "log": _applied(r"\log"),
    "log1p": Form(r"\log\left(1 + {0}\right)", ATOM, (PRODUCT,)),
    "sin": _applied(r"\sin"),
    "cos": _applied(r"\cos"),
    "sinc": _applied(r"\mathrm{{sinc}}"),
    "sinh": _applied(r"\sinh"),
    "cosh": _applied(r"\cosh"),
    "tanh": _applied(r"\tanh"),
    "asinh": _applied(r"\mathrm{{arsinh}}"),
    "atan": _applied(r"\arctan"),
    "sigmoid": _applied(r"\sigma"),
    "log_sigmoid": Form(r"\log \sigma\left({0}\right)", PRODUCT),
    "softplus": Form(r"\log\left(1 + e^{{{0}}}\right)"),
    "erf": _applied(r"\mathrm{{erf}}"),
    "relu": Form(r"\max\left(0, {0}\right)"),
    "max": Form(r"\max\left({0}, {1}\right)"),
    "min": Form(r"\min\left({0}, {1}\right)"),
    "clip": Form(r"\min\left(\max\left({0}, {1}\right), {2}\right)"),
    "where": Form(
        r"\begin{{cases}} {1} & \text{{if }} {0} \geq 0 \\ {2} & \text{{otherwise}} \end{{cases}}"
    ),
}

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


def symbol(name: str) -> str:
    """A parameter's name in mathematics: Greek where it is, upright where it is a word."""
    if name in _GREEK:
        return f"\\{name}"
    escaped = name.replace("_", r"\_")
    return escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}"


LANGUAGE: Final = Language(
    _FORMS,
    number=number,
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
