"""Functions for the layers of a network: text, assignment, identity."""

from __future__ import annotations

import pytest

from grammars import (
    Layered,
    LayersError,
    ParseError,
    activation_id,
    assign,
    by_layer,
    canonical_form,
    expression_id,
    functions_of,
    parse,
    parse_activation,
)

RELU, TANH, SWISH = (parse(text) for text in ("relu", "tanh", "swish"))


@pytest.mark.parametrize(
    "text",
    ["[relu(x), tanh(x)]", '[x, -2 * x, param("a", 1, per="layer") * x]', "relu(x) + x"],
)
def test_what_is_printed_reads_back(text: str) -> None:
    activation = parse_activation(text)
    assert str(activation) == text
    assert parse_activation(str(activation)) == activation


def test_a_list_of_one_and_a_list_of_equals_are_one_function() -> None:
    assert parse_activation("[relu(x)]") == parse_activation("[relu, relu(x)]") == RELU
    assert assign([TANH, TANH, TANH]) == TANH
    assert functions_of(TANH) == (TANH,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[relu(x) tanh]", r"expected an operator, ',' or '\]', found 'tanh'\n  .*\n           \^"),
        ("[relu(x), ", "found the end of the text"),
        ("[relu(x)] + 1", r"expected an operator or the end, found '\+'"),
        ("[[relu(x), x]]", r"expected a number, x, a function or '\(', found '\['"),
        ("[x, swosh]", "unknown primitive 'swosh'"),
        ("[]", r"found '\]'"),
    ],
)
def test_a_mistake_in_a_list_is_pointed_at(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        parse_activation(text)


def test_a_list_is_no_expression() -> None:
    with pytest.raises(ParseError, match="a list is a function for each layer"):
        parse("[relu(x), tanh(x)]")


def test_functions_go_to_layers() -> None:
    three = Layered((RELU, TANH, SWISH))
    assert by_layer(TANH, 4) == (TANH,) * 4
    assert by_layer(three, 3) == (RELU, TANH, SWISH)
    assert by_layer(three, 6) == (RELU, TANH, TANH, TANH, TANH, SWISH)
    with pytest.raises(LayersError, match=r"has 3 functions, .* 2 hidden layers; it takes 1 or 2"):
        by_layer(three, 2)
    with pytest.raises(LayersError, match=r"takes 1, 3 \(first, middle, last\) or 8"):
        by_layer(Layered((RELU, TANH)), 8)


def test_places_have_names_and_numbers() -> None:
    assert Layered((RELU, TANH)).layer_names == ("first", "last")
    three = Layered((RELU, TANH, SWISH))
    assert three.at("middle") == three.at("2") == TANH
    assert Layered((RELU, TANH, RELU, SWISH)).at("4") == SWISH
    with pytest.raises(LayersError, match="no layer 'second'; choose one of first, middle, last"):
        three.at("second")


def test_equal_functions_in_all_layers_have_the_id_of_that_function() -> None:
    written = Layered((parse("x * sigmoid(x)"), parse("sigmoid(x) * x")))
    assert canonical_form(written) == canonical_form(SWISH)
    assert activation_id(written) == activation_id(SWISH) == expression_id(SWISH)
    ends = Layered((RELU, SWISH)), Layered((SWISH, RELU))
    assert len({activation_id(each) for each in (*ends, RELU, SWISH)}) == 4


def test_size_and_depth_are_those_of_all_functions() -> None:
    assert Layered((RELU, SWISH)).size == RELU.size + SWISH.size
    assert Layered((RELU, SWISH)).depth == SWISH.depth


def test_zeros_of_either_sign_are_told_apart() -> None:
    assert str(parse_activation("[x + 0, x + -0]")) == "[x + 0, x + -0]"


def test_one_function_is_not_layered() -> None:
    with pytest.raises(ValueError, match="at least two functions are assigned to layers, got 1"):
        Layered((RELU,))
