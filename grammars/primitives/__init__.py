"""The table of primitives: every operation that an activation function can be built from."""

from collections.abc import Mapping
from typing import Final

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
]
