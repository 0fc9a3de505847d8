"""What an activation makes of normally distributed inputs, by numerical integration."""

from __future__ import annotations

from typing import Final

import numpy as np

from grammars import Expression, evaluate

# The outermost of 30 nodes is 9.7: within the interval on which the probes have seen f finite.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(30)
_SMALLEST: Final = 1e-6
_LARGEST: Final = 1e6


def mean(expression: Expression) -> float:
    """Mean of f(z) for z from N(0, 1), by Gauss-Hermite quadrature.

    Args:
        expression: Trainable parameters are taken at their start values.

    Returns:
        The mean; 0 where it is not finite.
    """
    integral = float(_WEIGHTS @ evaluate(expression, _NODES) / _WEIGHTS.sum())
    return integral if np.isfinite(integral) else 0.0


def mean_square(expression: Expression) -> float:
    """Mean of f(z)^2 for z from N(0, 1), by Gauss-Hermite quadrature.

    The integral is exact for polynomials f up to degree 29; a kink costs about 1 %.

    Args:
        expression: Trainable parameters are taken at their start values.

    Returns:
        A number from 1e-6 to 1e6: beyond, no scale of the weights could make up for it.
    """
    squares = evaluate(expression, _NODES) ** 2
    integral = float(_WEIGHTS @ squares / _WEIGHTS.sum())
    return float(np.clip(integral, _SMALLEST, _LARGEST)) if np.isfinite(integral) else 1.0
