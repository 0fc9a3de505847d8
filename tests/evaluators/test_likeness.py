"""How far shapes are apart."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.probing.likeness import apart, oriented, places
from grammars import parse


def distance(one: str, other: str) -> float:
    return apart([parse(one)], [parse(other)])


def test_gelu_and_swish_are_the_unit() -> None:
    assert distance("gelu", "swish") == distance("swish", "gelu") == 1.0
    assert distance("relu", "leaky_relu") < 0.2
    assert 0.5 < distance("mish", "tanhexp") < 1.0
    assert distance("gelu", "tanh") > 2.0


@pytest.mark.parametrize("mirrored", ["-x * sigmoid(-x)", "-x * sigmoid(x)", "x * sigmoid(-x)"])
def test_what_weights_of_either_sign_make_equal_is_equal(mirrored: str) -> None:
    assert distance("x * sigmoid(x)", mirrored) == pytest.approx(0.0, abs=1e-9)


def test_of_functions_for_layers_each_counts() -> None:
    gelu, swish = parse("gelu"), parse("swish")
    assert apart([gelu, gelu], [gelu, swish]) == pytest.approx(np.sqrt(0.5))
    with pytest.raises(ValueError, match="shorter"):
        apart([gelu, gelu], [gelu])


def test_places_are_finite_whatever_a_function_does() -> None:
    assert np.isfinite(places([parse("exp(exp(x))"), parse("1 / x"), parse("log(x)")])).all()


def test_a_function_is_turned_to_where_it_is_most_like_gelu() -> None:
    forms = [parse(text) for text in ("gelu", "x * sigmoid(x)", "-x * sigmoid(-x)")]
    turned = oriented(forms)
    assert turned[0] == pytest.approx(places(forms)[0])
    assert turned[2] == pytest.approx(turned[1], abs=1e-9)
    assert places(forms)[2] != pytest.approx(places(forms)[1], abs=1e-3)
