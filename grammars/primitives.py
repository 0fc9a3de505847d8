"""The table of primitives: every operation that an activation function can be built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy
import scipy.special


@dataclass(frozen=True)
class Arrays:
    """Where a definition finds its elementary functions.

    One definition serves NumPy (float64, the reference and the fingerprints) and JAX (training), so
    the two cannot drift apart.

    Attributes:
        np: A module with the interface of `numpy`.
        special: A module with the interface of `scipy.special`.
        elementary: Has `sin`, `cos`, `arctan`, `softplus` and `erf`.
    """

    np: ModuleType
    special: ModuleType
    elementary: ModuleType | SimpleNamespace


NUMPY: Final = Arrays(
    numpy,
    scipy.special,
    SimpleNamespace(
        sin=numpy.sin,
        cos=numpy.cos,
        arctan=numpy.arctan,
        softplus=lambda a: numpy.logaddexp(a, 0.0),
        erf=scipy.special.erf,
    ),
)


@dataclass(frozen=True)
class Primitive:
    """One row of the table.

    Attributes:
        name: What users write.
        arity: Number of arguments.
        define: `define(arrays, *arguments)`, elementwise; shapes broadcast.
        sympy: `sympy(module, *arguments)`, the same function without its guard, built from objects
            of SymPy; the module is an argument so that this table does not import it.
        cost: Time of value and slope together relative to `relu`, a coarse prior for searches that
            weigh cost; `evaluators.cost` measures.
        guard: How and why the argument is guarded, empty where none is needed.
        source: Where the function comes from, empty for the elementary ones.
        smooth: Whether the function has a continuous derivative.
    """

    name: str
    arity: int
    define: Callable[..., Any]
    sympy: Callable[..., Any]
    cost: float
    guard: str = ""
    source: str = ""
    smooth: bool = True


# The largest argument whose exponential is finite in float32 and bfloat16 is 88.72; a rounder,
# smaller number is representable in both, so that the guard is the same number everywhere.
EXP_ARGUMENT_MAX: Final = 88.5
EXP_GUARD: Final = (
    f"argument at most {EXP_ARGUMENT_MAX}: beyond it the value overflows in float32 and bfloat16"
)

# Below this the quotient sin(a) / a loses digits, above all in its derivative; its Taylor
# polynomial up to a^12 is exact to the last bit of a float64 there.
SINC_SERIES_BELOW: Final = 0.5


def _exp(arrays: Arrays, a: Any) -> Any:
    return arrays.np.exp(arrays.np.minimum(a, EXP_ARGUMENT_MAX))


def _expm1(arrays: Arrays, a: Any) -> Any:
    return arrays.np.expm1(arrays.np.minimum(a, EXP_ARGUMENT_MAX))


def _sinh(arrays: Arrays, a: Any) -> Any:
    return arrays.np.sinh(arrays.np.clip(a, -EXP_ARGUMENT_MAX, EXP_ARGUMENT_MAX))


def _cosh(arrays: Arrays, a: Any) -> Any:
    return arrays.np.cosh(arrays.np.clip(a, -EXP_ARGUMENT_MAX, EXP_ARGUMENT_MAX))


def _sinc(arrays: Arrays, a: Any) -> Any:
    np = arrays.np
    near_zero = np.abs(a) < SINC_SERIES_BELOW
    # The argument is replaced, not the result: a masked result would still have a NaN gradient.
    away = np.where(near_zero, 1.0, a)
    square = np.where(near_zero, a, 0.0) ** 2
    series = 1.0
    for factor in (156, 110, 72, 42, 20, 6):
        series = 1.0 - square / factor * series
    return np.where(near_zero, series, arrays.elementary.sin(away) / away)


def _relu(arrays: Arrays, a: Any) -> Any:
    # Not maximum(a, 0), whose derivative at 0 is 1/2 in JAX, while f'(0) = 0 is the convention;
    # and asked this way round, so that a NaN stays visible.
    return arrays.np.where(a <= 0, 0.0, a)


def _pow(arrays: Arrays, a: Any, b: Any) -> Any:
    # A whole exponent is exact for negative bases, and its derivative needs no logarithm.
    if isinstance(b, float) and b.is_integer() and abs(b) <= 64:
        return _whole_power(arrays, a, int(b))
    return arrays.np.power(a, b)


def _whole_power(arrays: Arrays, a: Any, exponent: int) -> Any:
    if exponent < 0:
        return arrays.np.divide(1.0, _whole_power(arrays, a, -exponent))
    if exponent == 0:
        return a * 0.0 + 1.0
    half = _whole_power(arrays, a, exponent // 2) if exponent > 1 else 1.0
    return half * half * a if exponent % 2 else half * half


_ROWS: Final = (
    Primitive("neg", 1, lambda s, a: -a, lambda m, a: -a, 0.2),
    Primitive("abs", 1, lambda s, a: s.np.abs(a), lambda m, a: m.Abs(a), 0.8, smooth=False),
    Primitive("square", 1, lambda s, a: a * a, lambda m, a: a**2, 0.4),
    Primitive("cube", 1, lambda s, a: a * a * a, lambda m, a: a**3, 0.6),
    Primitive("sqrt", 1, lambda s, a: s.np.sqrt(a), lambda m, a: m.sqrt(a), 1.5),
    Primitive("exp", 1, _exp, lambda m, a: m.exp(a), 2.5, guard=EXP_GUARD),
    Primitive("expm1", 1, _expm1, lambda m, a: m.exp(a) - 1, 5.0, guard=EXP_GUARD),
    Primitive("log", 1, lambda s, a: s.np.log(a), lambda m, a: m.log(a), 3.0),
    Primitive("log1p", 1, lambda s, a: s.np.log1p(a), lambda m, a: m.log(1 + a), 4.0),
    Primitive("sin", 1, lambda s, a: s.elementary.sin(a), lambda m, a: m.sin(a), 7.0),
    Primitive("cos", 1, lambda s, a: s.elementary.cos(a), lambda m, a: m.cos(a), 7.0),
    Primitive(
        "sinc",
        1,
        _sinc,
        lambda m, a: m.sinc(a),
        9.0,
        guard=f"a series where |a| < {SINC_SERIES_BELOW}: the quotient sin(a) / a is 0 / 0 at 0",
        source="unnormalised, sin(a) / a, as in Ramachandran, Zoph, Le 2017",
    ),
    Primitive("sinh", 1, _sinh, lambda m, a: m.sinh(a), 6.0, guard=EXP_GUARD),
    Primitive("cosh", 1, _cosh, lambda m, a: m.cosh(a), 6.0, guard=EXP_GUARD),
    Primitive("tanh", 1, lambda s, a: s.np.tanh(a), lambda m, a: m.tanh(a), 2.5),
    Primitive("asinh", 1, lambda s, a: s.np.arcsinh(a), lambda m, a: m.asinh(a), 6.0),
    Primitive("atan", 1, lambda s, a: s.elementary.arctan(a), lambda m, a: m.atan(a), 6.0),
    Primitive("sigmoid", 1, lambda s, a: s.special.expit(a), lambda m, a: 1 / (1 + m.exp(-a)), 3.0),
    Primitive(
        "log_sigmoid",
        1,
        lambda s, a: -s.elementary.softplus(-a),
        lambda m, a: -m.log(1 + m.exp(-a)),
        6.0,
    ),
    Primitive(
        "softplus",
        1,
        lambda s, a: s.elementary.softplus(a),
        lambda m, a: m.log(1 + m.exp(a)),
        6.0,
        guard="logaddexp(a, 0): the same value with no overflow",
        source="Dugas, Bengio, Belisle, Nadeau, Garcia 2001",
    ),
    Primitive("erf", 1, lambda s, a: s.elementary.erf(a), lambda m, a: m.erf(a), 4.0),
    Primitive(
        "relu", 1, _relu, lambda m, a: m.Max(a, 0), 1.0, source="Nair, Hinton 2010", smooth=False
    ),
    Primitive("add", 2, lambda s, a, b: a + b, lambda m, a, b: a + b, 0.3),
    Primitive("sub", 2, lambda s, a, b: a - b, lambda m, a, b: a - b, 0.3),
    Primitive("mul", 2, lambda s, a, b: a * b, lambda m, a, b: a * b, 0.5),
    Primitive("div", 2, lambda s, a, b: s.np.divide(a, b), lambda m, a, b: a / b, 1.5),
    Primitive("pow", 2, _pow, lambda m, a, b: a**b, 8.0),
    Primitive(
        "max", 2, lambda s, a, b: s.np.maximum(a, b), lambda m, a, b: m.Max(a, b), 0.8, smooth=False
    ),
    Primitive(
        "min", 2, lambda s, a, b: s.np.minimum(a, b), lambda m, a, b: m.Min(a, b), 0.8, smooth=False
    ),
    Primitive(
        "clip",
        3,
        lambda s, a, b, c: s.np.clip(a, b, c),
        lambda m, a, b, c: m.Min(m.Max(a, b), c),
        1.0,
        smooth=False,
    ),
    Primitive(
        "where",
        3,
        lambda s, a, b, c: s.np.where(a >= 0, b, c),
        lambda m, a, b, c: m.Piecewise((b, a >= 0), (c, True)),
        1.0,
        smooth=False,
    ),
)

PRIMITIVES: Final[Mapping[str, Primitive]] = {row.name: row for row in _ROWS}
