"""The target `numpy`: a function and its derivative, from NumPy and Python's own mathematics."""

from __future__ import annotations

from typing import Final

from grammars.export.function import Function
from grammars.export.python_source import (
    HALF_PRECISION,
    documentation,
    helpers,
    indented,
    module,
    signature,
)
from grammars.export.writing import Body, Form, Language, python_power, write
from grammars.expressions.expression import Expression
from grammars.primitives import SINC_SERIES_BELOW, column

_HELPERS: Final = {
    "_sigmoid": '''
def _sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)) without overflow and without loss of digits on either side."""
    decay = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, decay) / (1.0 + decay)
''',
    "_erf": '''
def _erf(a: np.ndarray) -> np.ndarray:
    """The error function, which NumPy lacks, by Python's own."""
    return np.vectorize(math.erf, otypes=[float])(a).astype(np.asarray(a).dtype)
''',
    "_sinc": f'''
def _sinc(a: np.ndarray) -> np.ndarray:
    """sin(a) / a, by its Taylor series where the quotient would be 0 / 0."""
    near_zero = np.abs(a) < {SINC_SERIES_BELOW}
    away = np.where(near_zero, 1.0, a)
    square = np.where(near_zero, a, 0.0) ** 2
    series = 1.0
    for factor in (156, 110, 72, 42, 20, 6):
        series = 1.0 - square / factor * series
    return np.where(near_zero, series, np.sin(away) / away)
''',
}

_FORMS: Final = {
    **column("numpy"),
    "inf": Form("np.inf"),
    "nan": Form("np.nan"),
}

LANGUAGE: Final = Language(_FORMS, _HELPERS, special=python_power)

_ALONG: Final = '''
def _along(value: npt.ArrayLike, x: np.ndarray, axis: int) -> np.ndarray:
    """Lays one value a channel along an axis of `x`; a single value serves all channels."""
    value = np.asarray(value, x.dtype)
    if value.size == 1:
        return value.reshape(())
    shape = [1] * x.ndim
    shape[axis] = value.size
    return value.reshape(shape)
'''


def render(function: Function) -> str:
    """The source of a module that needs NumPy alone and defines the function and its slope."""
    names = function.names()
    value = write((function.value,), LANGUAGE, names=names)
    slope = write((function.slope,), LANGUAGE, names=names)
    used = dict.fromkeys([*helpers(LANGUAGE, value), *helpers(LANGUAGE, slope)])
    needs_math = any("math." in source for source in used)
    imports = "import math\n\nimport numpy as np" if needs_math else "import numpy as np"
    return module(
        function,
        "An activation function and its derivative for NumPy.",
        imports=f"{imports}\nimport numpy.typing as npt",
        parts=[
            *([_ALONG] if function.parameters else []),
            *used,
            _definition(function, value, function.value, slope=False),
            _definition(function, slope, function.slope, slope=True),
        ],
    )


def _definition(function: Function, body: Body, result: Expression, *, slope: bool) -> str:
    name = f"{function.name}_slope" if slope else function.name
    what = "Computes the derivative at" if slope else "Applies the function to"
    head = signature(
        function, array="npt.ArrayLike", value="npt.ArrayLike", returns="np.ndarray", name=name
    )
    value = body.values[0]
    if not result.uses_input:
        value = f"np.broadcast_to({value}, x.shape)"
    lines = [
        *documentation(function, summary=f"{what} every element."),
        "x = np.asarray(x)",
        'dtype = np.dtype(float) if x.dtype.kind in "biu" else x.dtype',
        HALF_PRECISION,
        "x = x.astype(np.result_type(dtype, np.float32))",
        *(f"{p.name} = _along({p.name}, x, axis)" for p in function.parameters),
        # Branches that are not taken may compute what has no value.
        'with np.errstate(all="ignore"):',
        *(f"    {statement}" for statement in body.statements),
        f"    value = {value}",
        "return np.asarray(value).astype(dtype)",
    ]
    return f"{head}\n{indented(lines)}"
