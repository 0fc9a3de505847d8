"""The table of primitives: every operation that an activation function can be built from."""

from collections.abc import Mapping
from typing import Final

from grammars.expressions.forms import Form
from grammars.primitives import exponentials, operators, powers, sigmoids, waves
from grammars.primitives.exponentials import EXP_ARGUMENT_MAX
from grammars.primitives.row import NUMPY, Arrays, Primitive, PrimitiveError, Slot
from grammars.primitives.waves import SINC_FACTORS, SINC_SERIES_BELOW

_ROWS: Final = (
    *powers.ROWS,
    *exponentials.ROWS,
    *waves.ROWS,
    *exponentials.HYPERBOLIC_ROWS,
    *sigmoids.ROWS,
    *operators.ROWS,
)

PRIMITIVES: Final[Mapping[str, Primitive]] = {row.name: row for row in _ROWS}


def column(target: str) -> dict[str, Form]:
    """The forms in which an export target writes the primitives that it has forms for."""
    found = {name: row.form(target) for name, row in PRIMITIVES.items()}
    return {name: form for name, form in found.items() if form is not None}


__all__ = [
    "EXP_ARGUMENT_MAX",
    "NUMPY",
    "PRIMITIVES",
    "SINC_FACTORS",
    "SINC_SERIES_BELOW",
    "Arrays",
    "Primitive",
    "PrimitiveError",
    "Slot",
    "column",
]
