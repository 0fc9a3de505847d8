"""What was probably meant by a name or a notation that the language does not have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from grammars.reading.spellings import ambiguity, key, resolved

# Functions and signs that people expect, which no spelling of ours is near to.
_ELSEWHERE: Final = {
    "sign": "write where(x >= 0, 1, -1)",
    "sgn": "write where(x >= 0, 1, -1)",
    "step": "write binary_step, or where(x >= 0, 1, 0)",
    "heaviside": "write binary_step, or where(x >= 0, 1, 0)",
    "tan": "write sin(x) / cos(x)",
    "cot": "write cos(x) / sin(x)",
    "sec": "write 1 / cos(x)",
    "csc": "write 1 / sin(x)",
    "coth": "write 1 / tanh(x)",
    "sech": "write 1 / cosh(x)",
    "asin": "the language has no inverse sine; atan is the nearest",
    "arcsin": "the language has no inverse sine; atan is the nearest",
    "acos": "the language has no inverse cosine; atan is the nearest",
    "arccos": "the language has no inverse cosine; atan is the nearest",
    "atan2": "write atan(a / b)",
    "acosh": "write log(x + sqrt(x ** 2 - 1))",
    "arccosh": "write log(x + sqrt(x ** 2 - 1))",
    "atanh": "write 0.5 * log((1 + x) / (1 - x))",
    "arctanh": "write 0.5 * log((1 + x) / (1 - x))",
    "log2": "write log(x) / log(2)",
    "log10": "write log(x) / log(10)",
    "lg": "write log(x) / log(10), or log(x) / log(2)",
    "exp2": "write 2 ** x",
    "erfc": "write 1 - erf(x)",
    "normcdf": "write 0.5 * (1 + erf(x / sqrt(2)))",
    "phi": "write 0.5 * (1 + erf(x / sqrt(2)))",
    "φ": "write 0.5 * (1 + erf(x / sqrt(2)))",
    "ϕ": "write 0.5 * (1 + erf(x / sqrt(2)))",
    "logsumexp": "write log(exp(a) + exp(b))",
    "reciprocal": "write 1 / x",
    "rsqrt": "write 1 / sqrt(x)",
    "softshrink": "write x - clip(x, -0.5, 0.5)",
    "hardshrink": "write where(abs(x) >= 0.5, x, 0)",
    "celu": "with alpha = 1 it is elu",
    "softmax": "an activation is a function of one number",
    "softmin": "an activation is a function of one number",
    "maxout": "an activation is a function of one number",
    "glu": "an activation is a function of one number",
    "swiglu": "an activation is a function of one number; its gate is swish",
    "geglu": "an activation is a function of one number; its gate is gelu",
    "reglu": "an activation is a function of one number; its gate is relu",
    "floor": "the language has no rounding: its slope would be 0",
    "ceil": "the language has no rounding: its slope would be 0",
    "round": "the language has no rounding: its slope would be 0",
    "mod": "the language has no remainder",
    "if": "write where(x >= 0, f, g)",
    "inf": "a number must be finite",
    "infinity": "a number must be finite",
    "nan": "a number must be finite",
    "i": "numbers are real",
    "j": "numbers are real",
    "y": "the input is called x",
    "z": "the input is called x",
    "t": "the input is called x",
    "u": "the input is called x",
    "input": "the input is called x",
    "lambda": "write the expression alone, without 'lambda x:'",
}
_PARAMETERS: Final = frozenset(
    ("a", "b", "c", "k", "slope", "alpha", "beta", "gamma", "delta", "theta")
)
_GREEK: Final = frozenset("αβγδθλ")

CHARACTERS: Final = {
    "\\": "LaTeX is not read; write for instance a / b and sigmoid(x)",
    "\N{NO-BREAK SPACE}": "a no-break space; write a plain one",
    "\N{INFINITY}": "a number must be finite",
    "{": "group in parentheses",
    "}": "group in parentheses",
    "!": "the language has no factorial",
    "%": "the language has no remainder",
}

# Shorter names are too near to one another: of four letters, two are a different function.
_SHORTEST_GUESS: Final = 3
_ALIKE: Final = 0.7


def unknown_name(written: str, known: Iterable[str]) -> str | None:
    """What to write for a name that is not known, None where nothing comes near.

    Args:
        written: The name.
        known: The names of the language.
    """
    known = tuple(known)
    name = written.rpartition(".")[2]
    if (reason := ambiguity(written)) is not None:
        return reason
    if (elsewhere := _ELSEWHERE.get(key(name))) is not None:
        return elsewhere
    if name in _PARAMETERS | _GREEK:
        plain = "a" if name in _GREEK else name
        return f'write a number, or param("{plain}", 1) for one that is trained'
    if name.endswith("x") and (called := resolved(name[:-1], known)) in known:
        return f"did you mean '{called}(x)'?"
    near = nearest(name, known)
    return None if near is None else f"did you mean {near!r}?"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one is nearest to, None for a function of its own."""
    if len(name) < _SHORTEST_GUESS or key(name) in _ELSEWHERE:
        return None
    spelled = {key(own): own for own in reversed(tuple(known))}
    near = difflib.get_close_matches(key(name), spelled, n=1, cutoff=_ALIKE)
    return spelled[near[0]] if near else None
