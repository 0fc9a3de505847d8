"""What a leaderboard prints, the grammar that found it can start from."""

from random import Random

import pytest

from grammars import fitted, grammar_names, load_grammar, parse, readable, same_function


@pytest.mark.parametrize(
    ("grammar", "text", "form"),
    [
        ("core", "x * sigmoid(x)", "x * sigmoid(x)"),
        ("core", "clip(x, 0, 2)", "min(max(x, 0), 2)"),
        ("core", "gelu", "0.5 * x * (1 + erf(x / 1.4142135623730951))"),
        ("core", "x ** 4", "square(square(x))"),
        ("core", "7.5 * x", "3 * 2.5 * x"),
        ("core", "where(x >= 0, x, 0)", "relu(x)"),
        ("core", "-log_sigmoid(x)", "softplus(-x)"),
        ("tiny", "2 * x", "x + x"),
        ("tiny", "x - tanh(x)", "x + -tanh(x)"),
        ("tiny", "square(x)", "x * x"),
        ("smooth", "x ** 3", "x * x * x"),
        ("piecewise", "x", "where(x >= 0, x, x)"),
        # Larger than the grammar allows, and than it could become, until it is spelled.
        ("tiny", "-" * 30 + "tanh(x)", "tanh(x)"),
    ],
)
def test_an_equal_form_of_the_grammar_is_found(grammar, text, form):
    found = fitted(parse(text), load_grammar(grammar))
    assert load_grammar(grammar).violation(found) is None
    assert same_function(found, parse(text))
    assert str(found) == form


@pytest.mark.parametrize(
    ("grammar", "text"),
    [
        ("core", "log(x)"),
        ("core", "sqrt(x)"),
        ("tiny", "sin(x)"),
        ("tiny", "0.3 * x"),
        ("core", "3"),
        # Whose lowerings, and those of these, would grow for ever.
        ("tiny", "asinh(x)"),
        ("tiny", "sinc(sinc(sinc(sinc(x))))"),
        ("smooth", "x / sqrt(1 + x ** 2)"),
        ("core", "sinh(erf(x / cosh(abs(sinc(erf(asinh(cos(x))))))))"),
    ],
)
def test_what_a_grammar_cannot_write_has_none(grammar, text):
    assert fitted(parse(text), load_grammar(grammar)) is None


@pytest.mark.parametrize("name", grammar_names())
def test_what_is_printed_of_a_grammars_functions_it_can_start_from(name):
    grammar, random = load_grammar(name), Random(9)
    printed = [parse(readable(grammar.sample(random, depth=(1, 6)))) for _ in range(100)]
    printed = [function for function in printed if function.uses_input]
    found = [fitted(function, grammar) for function in printed]
    # Rarely a form is deeper than the grammar allows.
    assert sum(form is not None for form in found) >= 0.97 * len(printed)
