"""Reading and printing: every expression comes back, every error points, nothing is run."""

import os
import pickle
import time
from random import Random

import pytest
from hypothesis import example, given, settings, strategies

from grammars import Call, Constant, Expression, Parameter, ParseError, canonical, parse
from grammars.expressions.expression import X, call
from grammars.parsing.parser import MAX_DEPTH
from tests.grammars.generating import expressions, random_expression

FULL = bool(os.environ.get("ACTSEARCH_FULL_TESTS"))


@settings(max_examples=500, deadline=None)
@given(expressions(max_leaves=12))
@example(Call("neg", (Constant(2.0),)))
@example(Call("neg", (Call("pow", (Constant(2.0), X)),)))
@example(Call("pow", (Constant(-2.0), Constant(-1.0))))
@example(Call("where", (Call("sub", (X, Constant(0.0))), X, X)))
@example(Call("sub", (X, Call("sub", (X, X)))))
@example(Call("pow", (Call("pow", (X, X)), Call("pow", (X, X)))))
def test_what_is_printed_is_read_back(expression):
    assert parse(str(expression)) == expression
    assert parse(str(canonical(expression))) == canonical(expression)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x", X),
        ("  x\n", X),
        ("-2", Constant(-2.0)),
        ("-x ** 2", call("neg", call("pow", X, 2.0))),
        ("x ^ 2", call("pow", X, 2.0)),
        ("2 ** 3 ** x", call("pow", 2.0, call("pow", 3.0, X))),
        ("x ** -1", call("pow", X, -1.0)),
        ("x - 1 - 2", call("sub", call("sub", X, 1.0), 2.0)),
        ("x / 2 * 3", call("mul", call("div", X, 2.0), 3.0)),
        ("1 + x * 2", call("add", 1.0, call("mul", X, 2.0))),
        ("sqrt(2)", call("sqrt", 2.0)),
        ("pi * e", call("mul", 3.141592653589793, 2.718281828459045)),
        (".5e-1", Constant(0.05)),
        ("clip(x, -1, 1)", call("clip", X, -1.0, 1.0)),
        ("where(x >= 0, x, 0)", call("where", X, X, 0.0)),
        ("where(x > 1, x, 0)", call("where", call("neg", call("sub", X, 1.0)), 0.0, X)),
        ("where(x < 0, 1, x)", call("where", X, X, 1.0)),
        ("where(x <= 0, 1, x)", call("where", call("neg", X), 1.0, X)),
        ('param("b", 1.0, per="layer")', Parameter("b", 1.0, "layer")),
        ("param('b', -0.5)", Parameter("b", -0.5, "channel")),
        ('param("b", 2, "network")', Parameter("b", 2.0, "network")),
        ("swish(x + 1)", parse("(x + 1) * sigmoid(x + 1)")),
    ],
)
def test_the_usual_notation_is_read(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        # Any case, with and without underscores.
        ("ReLU6", "relu6"),
        ("GELU(2 * X)", "gelu(2 * x)"),
        ("SiLU", "silu"),
        ("PReLU", "prelu"),
        ("LeakyReLU(x)", "leaky_relu"),
        ("LogSigmoid(x) + PI", "log_sigmoid(x) + pi"),
        # Other names for the same.
        ("ln(x ** 2)", "log(x ** 2)"),
        ("arsinh(x)", "asinh(x)"),
        ("maximum(x, 0)", "max(x, 0)"),
        ("clamp(x, 0, 6)", "clip(x, 0, 6)"),
        # Bars.
        ("|x|", "abs(x)"),
        ("x / (1 + |x|)", "x / (1 + abs(x))"),
        ("||x| - 1| * |x|", "abs(abs(x) - 1) * abs(x)"),
        # Signs.
        ("x − 1 – x", "x - 1 - x"),
        ("x · σ(−x)", "x * sigmoid(-x)"),
        ("2 × x ÷ π", "2 * x / pi"),
        ("x² + x⁻¹", "x ** 2 + x ** (-1)"),
        ("-x¹²", "-x ** 12"),
        ("√2 * √(x² + 1)", "sqrt(2) * sqrt(x ** 2 + 1)"),
        ("where(x ≥ 0, x, −1)", "where(x >= 0, x, -1)"),
        ("𝑥 · 𝜎(𝑥)", "x * sigmoid(x)"),
        # Frameworks, each with the meaning that the name has there.
        ("torch.nn.functional.silu(x)", "silu(x)"),
        ("F.relu(x)", "relu(x)"),
        ("nn.ReLU6()", "relu6"),
        ("torch.nn.SiLU()(x + 1)", "silu(x + 1)"),
        ("jax.nn.relu6(x)", "relu6"),
        ("nn.GELU()", "gelu"),
        ("torch.nn.functional.gelu(x)", "gelu"),
        ("jax.nn.gelu", "gelu_tanh"),
        ("nn.gelu(x)", "gelu_tanh"),
        ("tf.nn.leaky_relu(x)", "max(0.2 * x, x)"),
        ("np.sinc(x)", "normalized_sinc"),
        ("sympy.sinc(x)", "sinc(x)"),
        ("nn.functional.gelu(x)", "gelu"),
        ("torch.nn.PReLU()(x)", 'where(x >= 0, x, param("slope", 0.25, per="layer") * x)'),
        ("flax.linen.PReLU()(x)", 'where(x >= 0, x, param("slope", 0.01, per="layer") * x)'),
        ("scipy.special.sinc(x)", "normalized_sinc"),
        ("keras.ops.sinc(x)", "normalized_sinc"),
        ("tf.experimental.numpy.sinc(x)", "normalized_sinc"),
        # Powers of e are exponentials, those of numbers are numbers.
        ("log(1 + e^x)", "log(1 + exp(x))"),
        ("e ** -x", "exp(-x)"),
        ("e^2 * x", "2.718281828459045 ** 2 * x"),
        # Read as it stands, since only one thing can be meant.
        ("2^-x", "2 ** (-x)"),
        ("exp - x", "exp(x) - x"),
        ("tanh * 2", "tanh(x) * 2"),
    ],
)
def test_what_papers_and_frameworks_write_is_read_where_it_is_certain(text, plain):
    assert parse(text) == parse(plain)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        # A bare function before a sign: exp(-x) is meant, exp(x) - x would be read.
        ("exp -x", r"can mean exp\(-x\) or exp\(x\) - x; write one of them"),
        ("tanh -2 * x", r"can mean tanh\(-2\) or tanh\(x\) - 2"),
        ("x * gelu +x", r"can mean gelu\(\+x\) or gelu\(x\) \+ x"),
        ("sigmoid-x", "write one of them"),
        # Numbers beyond a float64.
        ("1e-400 * x", "1e-400 is too small for a float64"),
        ("x + 0.02e-323", "too small for a float64"),
        ('param("a", 1e-400) * x', "too small for a float64"),
        ("1e400 * x", "1e400 is too large for a float64"),
        # No operator, no parentheses.
        ("sin x", r"write sin\(x\) to apply 'sin'"),
        ("exp 2 * x", r"write exp\(2\) to apply 'exp'"),
        ("log |x|", r"write log\(\.\.\.\) to apply 'log'"),
        ("2x", r"write 2 \* x"),
        ("3 sin(x)", r"write 3 \* sin"),
        ("2(x + 1)", r"write '\*' between factors"),
        ("(x + 1)(x - 1)", r"write '\*' between factors"),
        ("1,5 * x", "write 1.5 with a decimal point"),
        ("f(x) = x", "write the expression alone"),
        ("jax.nn.gelu(x, approximate=True)", "neither options by name nor"),
        ("F.leaky_relu(x, 0.2)", r"takes 1 argument, got 2; it is max\(0.01 \* x, x\)"),
        # Names with a meaning of their own are no misspelt names of ours.
        ("sign(x)", r"'sign'; write where\(x >= 0, 1, -1\)"),
        ("asin(x)", "'asin'; the language has no inverse sine"),
        ("inf", "'inf'; a number must be finite"),
        ("i * x", "'i'; numbers are real"),
        ("tan(x)", r"'tan'; write sin\(x\) / cos\(x\)"),
        ("log10(x)", r"'log10'; write log\(x\) / log\(10\)"),
        ("y ** 2", "'y'; the input is called x"),
        ("alpha * x", r"'alpha'; write a number, or param\(\"alpha\", 1\)"),
        ("sinx", r"did you mean 'sin\(x\)'"),
        ("qq * x", "'qq'; `actsearch grammar list` shows"),
        ("keras.activations.hard_sigmoid(x)", "Keras 1 and 2 'hard_sigmoid_keras2'"),
        ("nn.PReLU()", "Flax from 0.01; write torch.nn.PReLU or flax.linen.PReLU"),
        ("\\sigma(x)", "LaTeX is not read"),
    ],
)
def test_what_is_not_certain_is_refused_with_what_was_probably_meant(text, hint):
    with pytest.raises(ParseError, match=hint):
        parse(text)


@pytest.mark.parametrize(
    ("text", "problem", "position"),
    [
        ("", "expected a number, x, a function or '\\(', found the end", 0),
        ("x *", "found the end of the text", 3),
        ("x * sigmiod(x)", "unknown primitive 'sigmiod'; did you mean 'sigmoid'", 4),
        ("x + qqqqqq", "unknown primitive 'qqqqqq'; `actsearch grammar list`", 4),
        ("sin x", "expected an operator or the end, found 'x'", 4),
        ("max(x)", "'max' takes 2 arguments, got 1", 0),
        ("swish(x, x)", "'swish' takes 1 argument, got 2", 0),
        ("(x", "expected '\\)', found the end", 2),
        ("x)", "expected an operator or the end, found '\\)'", 1),
        ("x x", "expected an operator or the end, found 'x'", 2),
        ("x $ 1", r"unexpected character '\$'", 2),
        ("x +\u00a0x", r"unexpected character '\\xa0'", 3),
        ("1e999", "too large for a float64", 0),
        ("where(x, 1, 2)", "expected a comparison such as 'x >= 0'", 7),
        ('param("9", 1)', "a parameter's name is a word", 0),
        ('param("a", x)', "a parameter starts from a plain number", 11),
        ('param("a", 1, per="head")', "unknown scope 'head'; expected one of channel, layer", 18),
        ('param("a", 1) + param("a", 2)', "the parameter 'a' has two starts or scopes", 22),
        ("__import__('os')", "unknown primitive '__import__'", 0),
        ("x.real", r"unexpected character '\.'", 1),
        ("lambda x", "unknown primitive 'lambda'", 0),
    ],
)
def test_errors_say_what_and_point_where(text, problem, position):
    with pytest.raises(ParseError, match=problem) as caught:
        parse(text)
    assert caught.value.position == position
    assert str(caught.value).endswith("\n  " + " " * position + "^")


def test_an_error_looks_as_in_the_documentation():
    with pytest.raises(ParseError) as caught:
        parse("x * sigmiod(x)")
    assert str(caught.value) == (
        "unknown primitive 'sigmiod'; did you mean 'sigmoid'?\n  x * sigmiod(x)\n      ^"
    )


def test_an_error_survives_the_way_between_processes():
    with pytest.raises(ParseError) as caught:
        parse("x +")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (str(copy), copy.position) == (str(caught.value), 3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(" * 10_000 + "x" + ")" * 10_000, "the text has 20,001 characters"),
        ("(" * 4_000 + "x" + ")" * 4_000, f"nested too deep; at most {MAX_DEPTH} levels"),
        ("-" * 5_000 + "x", "nested too deep"),
        ("x**" * 2_000 + "x", "nested too deep"),
        ("sin(" * 2_000 + "x", "nested too deep"),
        ("x+" * 4_000 + "x", "more than 60 operations in a row; group them"),
        ("sin(" * 40 + "x+" * 40 + "x" + ")" * 40, "the expression is 80 deep; at most 60"),
        (
            "f(f(f(f(x)))); f(x) = " + "sin(" * 55 + "x" + ")" * 55,
            "with its definitions written out the expression is 220 deep; at most 200",
        ),
        ("x" + "⁹" * 309, "the number 9+... is too large for a float64"),
        ("x" * 1_000_000, "the text has 1,000,000 characters"),
        ("gelu(" * 40 + "x" + ")" * 40, "makes .* nodes; at most 10,000"),
        ("max(" * 10 + "1" * 5_000, "expected an operator, ',' or|too large"),
        ("gelu(gelu(gelu(gelu(gelu(x)))))+" * 200 + "x", "makes .* nodes; at most 10,000"),
    ],
)
def test_what_is_too_large_is_refused_clearly(text, problem):
    with pytest.raises(ParseError, match=problem) as caught:
        parse(text)
    assert len(str(caught.value)) < 400


_ALPHABET = "x0123456789.eE+-*/^(),<>=\"' \tπ\x00sigmoidparwhetnclu_"
_WORDS = [
    "x", "1", "0.5", "1e308", "pi", "+", "-", "*", "/", "**", "(", ")", ",", ">=", "<", "=", "^",
    "where(", "param(", '"a"', "per", "sin(", "max(", "clip(", "swish", "gelu(", " ", "\n", "\x00",
]  # fmt: skip


def read_or_refuse(text: str) -> Expression | ParseError:
    """Parses; fails the test on any other exception and on a position outside of the text."""
    try:
        return parse(text)
    except ParseError as error:
        refusal = error
    assert 0 <= refusal.position <= len(text)
    return refusal


@settings(max_examples=800, deadline=None)
@given(
    strategies.one_of(
        strategies.text(max_size=80),
        strategies.text(_ALPHABET, max_size=80),
        strategies.lists(strategies.sampled_from(_WORDS), max_size=40).map("".join),
    )
)
def test_no_text_crashes_the_parser(text):
    read_or_refuse(text)


def mutated(random: Random, text: str) -> str:
    for _ in range(random.randint(1, 3)):
        place = random.randint(0, len(text))
        cut = random.choice([0, 1, random.randint(0, 12)])
        word = random.choice(["x", "1", "-", "", "", random.choice(_WORDS)])
        text = text[:place] + word + text[place + cut :]
    return text


def test_mutated_expressions_are_read_or_refused_without_delay():
    parse("swish")  # reads the catalogue once
    random = Random(2)
    slowest = 0.0
    outcomes = {True: 0, False: 0}
    for _ in range(100_000 if FULL else 5_000):
        text = mutated(random, str(random_expression(random, random.randint(1, 20))))
        begin = time.process_time()
        outcome = read_or_refuse(text)
        slowest = max(slowest, time.process_time() - begin)
        outcomes[isinstance(outcome, ParseError)] += 1
    assert min(outcomes.values()) > 100
    print(f"slowest {slowest * 1000:.1f} ms; read {outcomes[False]}, refused {outcomes[True]}")
    assert slowest < 2.0, "seconds of processor time"
