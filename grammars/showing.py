"""What an expression shows of itself in Python: its values, derivative, formula and picture."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from html import escape
from typing import Any, Final

import numpy

from grammars.algebra.canonical import canonical
from grammars.algebra.printing import with_short_constants
from grammars.export.latex import formula
from grammars.expressions.expression import Expression, expanded
from grammars.expressions.sketch import X_LIMIT, sketch
from grammars.numerics.compilation import interpret, start_values, to_jax
from grammars.numerics.derivative import derivative
from grammars.primitives import NUMPY

# An even number: 0, where most functions have their kink, lies between two of them.
_POINTS: Final = 240


def value(expression: Expression, x: Any, parameters: Mapping[str, Any]) -> Any:
    """The function at points; see `Expression.__call__`."""
    known = start_values(expression)
    if unknown := [name for name in parameters if name not in known]:
        there = f"it has {', '.join(known)}" if known else "it has none"
        raise TypeError(f"{expression} has no trainable parameter {unknown[0]!r}; {there}")
    values = {**known, **parameters}
    jax = sys.modules.get("jax")
    if jax is not None and any(isinstance(each, jax.Array) for each in (x, *values.values())):
        points = jax.numpy.asarray(x)
        inexact = jax.numpy.issubdtype(points.dtype, jax.numpy.inexact)
        return to_jax(expression)(points if inexact else points.astype(float), values)
    points = numpy.asarray(x)
    if not numpy.issubdtype(points.dtype, numpy.inexact):
        points = points.astype(numpy.float64)
    with numpy.errstate(all="ignore"):
        found = interpret(expression, points, arrays=NUMPY, parameters=values)
        found = numpy.broadcast_to(numpy.asarray(found, dtype=points.dtype), points.shape).copy()
    return found.item() if isinstance(x, int | float) else found


def derivative_of(expression: Expression) -> Expression:
    """The derivative of the mathematical function in its canonical form, numbers kept short."""
    slope = canonical(derivative(expression, guarded=False))
    (short,) = with_short_constants([slope], written=[expression])
    return short


def latex(expression: Expression) -> str:
    """The formula, with what a grammar defines written out."""
    return formula(expanded(expression))


def curves(expression: Expression) -> str:
    """Two `<svg>` elements: f and f' beside those of ReLU, parameters at their start values."""
    x = numpy.linspace(-X_LIMIT, X_LIMIT, _POINTS)
    relu, slope = numpy.maximum(x, 0.0), derivative_of(expression)
    return sketch("f(x)", value(expression, x, {}), relu) + sketch(
        "f\u2032(x)", value(slope, x, {}), (x > 0).astype(float)
    )


def html(expression: Expression) -> str:
    """The formula, and the curves of f and f' beside those of ReLU."""
    return (
        f"<p>$\\displaystyle f(x) = {escape(latex(expression), quote=False)}$</p>"
        f"<p><code>{escape(str(expression))}</code></p>"
        f"<div style='display:flex;flex-wrap:wrap;gap:1em'>{curves(expression)}</div>"
    )
