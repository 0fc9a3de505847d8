"""Shapes of mirror images."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from evaluators.probing.shapes import mirrored, negated, shape, upright
from grammars import Call, Expression, Variable, load_grammar, parse
from grammars.expressions.expression import substitute


def minus(function: Expression) -> Expression:
    return Call("neg", (function,))


def backwards(function: Expression) -> Expression:
    return substitute(function, minus(Variable()))


@pytest.fixture(scope="module")
def drawn() -> list[Expression]:
    random, grammar = Random(11), load_grammar("core")
    return [grammar.sample(random, depth=(1, 4)) for _ in range(200)]


def test_mirror_images_have_the_shapes_that_are_told(drawn: list[Expression]) -> None:
    for function in drawn:
        there = shape(function)
        assert mirrored(there) == pytest.approx(shape(backwards(function)), rel=1e-6, abs=1e-6)
        assert negated(there) == pytest.approx(shape(minus(function)), rel=1e-6, abs=1e-6)


def test_all_four_of_a_function_look_alike_upright(drawn: list[Expression]) -> None:
    for function in drawn:
        four = [function, backwards(function), minus(function), minus(backwards(function))]
        looks = upright(np.array([shape(each) for each in four]))
        for each in looks[1:, :-2]:
            assert each == pytest.approx(looks[0, :-2], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("function", "sides"),
    [
        ("gelu(x)", [0, 0]),
        ("gelu(-x)", [0, 1]),
        ("-gelu(x)", [1, 0]),
        ("-gelu(-x)", [1, 1]),
        ("tanh(x)", [0, 0]),
        ("-tanh(x)", [0, 1]),
        ("-sigmoid(x)", [1, 0]),
        ("square(x)", [0, 0]),
        ("cos(x)", [1, 0]),
    ],
)
def test_it_is_told_which_of_them_it_was(function: str, sides: list[int]) -> None:
    assert upright(shape(parse(function)))[-2:].tolist() == sides
