"""Evaluates SymPy expressions and their symbolic derivatives with many digits."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import sympy

VERSION = f"sympy {sympy.__version__}, mpmath {mpmath.__version__}"

# 1 + exp(-1000) differs from 1 in its 435th digit.
DIGITS = 600


def measure(exported: Any, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields `MODE/PRECISION/QUANTITY` and numbers."""
    expression = exported.EXPRESSION
    inputs = x.reshape(len(x), -1)
    for quantity, formula in (
        ("value", expression),
        ("slope", sympy.diff(expression, exported.x)),
    ):
        columns = [
            [number(function, a) for a in inputs[:, channel]]
            for channel, function in enumerate(functions(exported, formula, inputs.shape[1]))
        ]
        yield f"symbolic/exact/{quantity}", np.array(columns).T.reshape(x.shape)


def functions(exported: Any, formula: Any, channels: int) -> Iterator[Callable[[Any], Any]]:
    """The formula as a function of mpmath's numbers, one for each channel."""
    for channel in range(channels):
        values = {
            symbol: exported.START[name][channel]
            if isinstance(exported.START[name], tuple)
            else exported.START[name]
            for name, symbol in exported.PARAMETERS.items()
        }
        plain = formula.subs(values).rewrite(sympy.Heaviside, sympy.Piecewise)
        # What SymPy finds to be a division by zero everywhere has a value nowhere.
        if plain.has(sympy.zoo, sympy.nan):
            yield lambda a: math.nan
            continue
        yield sympy.lambdify(exported.x, plain, modules=["mpmath"])


def number(function: Callable[[Any], Any], a: np.float32) -> float:
    """The real value at a point, NaN where there is none."""
    with mpmath.workdps(DIGITS):
        try:
            value = mpmath.mpmathify(function(mpmath.mpf(float(a))))
        # A comparison of complex numbers is a TypeError: there is no real value either.
        except (ZeroDivisionError, ValueError, OverflowError, TypeError):
            return float("nan")
        return float(mpmath.re(value)) if mpmath.im(value) == 0 else float("nan")
