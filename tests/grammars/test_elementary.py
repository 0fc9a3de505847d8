"""Elementary functions in vectors: as accurate as float32 is, wherever their argument lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy
import pytest
import scipy.special

from grammars.expressions import elementary

REFERENCES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sin": (numpy.sin, numpy.cos),
    "cos": (numpy.cos, lambda x: -numpy.sin(x)),
    "arctan": (numpy.arctan, lambda x: 1.0 / (1.0 + x * x)),
    "softplus": (lambda x: numpy.logaddexp(x, 0.0), scipy.special.expit),
    "erf": (scipy.special.erf, lambda x: 2.0 / numpy.pi**0.5 * numpy.exp(-x * x)),
}


def value_and_slope(name: str, x: numpy.ndarray) -> tuple[Any, Any]:
    function = getattr(elementary, name)
    return jax.jit(lambda x: jax.jvp(function, (x,), (jnp.ones_like(x),)))(x)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("reach", [1e-3, 1.0, 30.0, 1e3, 1e5, 6e7])
def test_value_and_slope_are_accurate(name: str, reach: float) -> None:
    random = numpy.random.default_rng(0)
    x = random.uniform(-reach, reach, 200_000).astype(numpy.float32)
    wide = x.astype(numpy.float64)
    for got, reference in zip(value_and_slope(name, x), REFERENCES[name], strict=True):
        numpy.testing.assert_allclose(got, reference(wide), rtol=4e-7, atol=1.2e-7)


@pytest.mark.parametrize("name", ["sin", "arctan", "softplus", "erf"])
def test_small_values_keep_their_digits(name: str) -> None:
    small = -numpy.geomspace(1e-30, 1e-3, 1000, dtype=numpy.float32)
    x = numpy.log(-small) if name == "softplus" else small
    expected = REFERENCES[name][0](x.astype(numpy.float64))
    numpy.testing.assert_allclose(value_and_slope(name, x)[0], expected, rtol=4e-7)


def test_the_ends_of_the_line() -> None:
    ends = numpy.array([-numpy.inf, numpy.inf, numpy.nan], numpy.float32)
    for name in ("sin", "cos"):
        assert numpy.isnan(value_and_slope(name, ends)).all()
    assert value_and_slope("arctan", ends)[0].tolist()[:2] == pytest.approx(
        [-numpy.pi / 2, numpy.pi / 2]
    )
    assert value_and_slope("softplus", ends)[0].tolist()[:2] == [0.0, numpy.inf]
    assert value_and_slope("erf", ends)[0].tolist()[:2] == [-1.0, 1.0]
    for name in ("arctan", "softplus", "erf"):
        value, slope = value_and_slope(name, ends)
        assert numpy.isnan(value[2])
        assert slope[:2].tolist() == ([0.0, 1.0] if name == "softplus" else [0.0, 0.0])


def test_where_there_is_no_period_there_is_no_wave() -> None:
    x = numpy.array([2.0**26, -1e30], numpy.float32)
    assert value_and_slope("sin", x)[0].tolist() == [0.0, 0.0]
    assert value_and_slope("cos", x)[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", REFERENCES)
def test_other_precisions_are_left_to_jax(name: str) -> None:
    x = jnp.linspace(-3, 3, 7, dtype=jnp.bfloat16)
    others = {"softplus": jax.nn.softplus, "erf": jax.scipy.special.erf}
    library = others.get(name) or getattr(jnp, name)
    value = getattr(elementary, name)(x)
    assert value.dtype == jnp.bfloat16
    assert value.tolist() == library(x).tolist()
