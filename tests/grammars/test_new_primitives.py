"""A new primitive is one row, and one that a user defines is one line of a grammar file."""

import importlib
from itertools import pairwise
from random import Random
from types import SimpleNamespace

import numpy
import pytest

from grammars import (
    PRIMITIVES,
    Grammar,
    GrammarError,
    canonical,
    evaluate,
    expression_id,
    load_grammar,
    parse,
    parse_activation,
    readable,
    same_function,
    with_partials,
)
from grammars.analysis.properties import properties
from grammars.export.function import Function
from grammars.export.targets import TARGETS
from grammars.expressions.expression import Call, X, call, expanded
from grammars.numerics.derivative import derivative
from grammars.primitives import Primitive
from grammars.space.enumeration import enumerate_functions
from search.strategies.trees import to_expression, to_tree
from search.strategies.variation import MUTATIONS, crossover

POINTS = numpy.linspace(-9, 9, 181)

# The only file that it would touch is that of its family, grammars/primitives/sigmoids.py.
BUMP = Primitive(
    name="bump",
    arity=1,
    define=lambda s, a: s.np.exp(-a * a),
    sympy=lambda m, a: m.exp(-(a**2)),
    cost=3.0,
    lowering=lambda a: call("exp", call("neg", call("square", a))),
    total=True,
    parity="even",
    range=(0.0, 1.0),
)


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setitem(PRIMITIVES, "bump", BUMP)


@pytest.mark.usefixtures("table")
def test_a_row_is_all_that_a_new_primitive_needs():
    expression = parse("x * bump(2 * x) + bump(x)")
    assert parse(str(expression)) == expression
    plain = parse("x * exp(-(2 * x) ** 2) + exp(-x ** 2)")
    numpy.testing.assert_allclose(evaluate(expression, POINTS), evaluate(plain, POINTS))
    slopes = evaluate(derivative(expression), POINTS)
    numpy.testing.assert_allclose(slopes, evaluate(derivative(plain), POINTS), atol=1e-15)
    assert canonical(canonical(expression)) == canonical(expression)
    found = properties(parse("bump(x)"))
    assert found["range"].value == [0.0, 1.0]
    assert found["limit_right"].value == 0.0
    assert properties(parse("bump(sigmoid(x))"))["limit_left"].value == 1.0
    grammar = Grammar(name="g", description="", primitives={"bump": 1.0, "add": 1.0})
    sample = grammar.sample(Random(1), depth=(2, 4))
    assert grammar.violation(sample) is None
    assert "bump" in str(sample)


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("target", [name for name in TARGETS if name != "stablehlo"])
def test_every_target_writes_a_new_primitive_by_its_lowering(target):
    written = TARGETS[target].render(Function(parse("x * bump(x)"), name="fresh"))
    text = written if isinstance(written, str) else written.decode("latin-1")
    assert len(text) > 50
    assert "bump(" not in text.replace("f(x) = x * bump(x)", "").replace('"x * bump(x)"', "")


@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize("name", list(PRIMITIVES))
def test_every_target_has_a_form_or_a_lowering_for_every_primitive(target, name):
    operands = [X, 0.5, 1.5][: PRIMITIVES[name].arity]
    if target == "stablehlo" and name != "sinc":
        pytest.skip("compiled from the text of the target jax")
    assert TARGETS[target].render(Function(call(name, *operands), name="one"))


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=list(PRIMITIVES))
def test_the_forms_of_a_row_are_those_that_its_targets_use(row):
    assert row.forms.keys() <= TARGETS.keys()
    for target in row.forms:
        module = importlib.import_module(f"grammars.export.{target}")
        if target == "onnx":
            assert module.OPERATORS[row.name] == (row.forms["onnx"], {})
        else:
            assert module.LANGUAGE.forms[row.name] == row.form(target)
    assert len(row.forms) >= 7  # all that are not made from another's


@pytest.mark.usefixtures("table")
def test_what_numpy_is_given_computes_the_same():
    namespace = {}
    source = TARGETS["numpy"].render(Function(parse("x * bump(x)"), name="fresh"))
    exec(source, namespace)  # noqa: S102 - our own export
    x = POINTS.astype(numpy.float32)
    numpy.testing.assert_allclose(namespace["fresh"](x), x * numpy.exp(-x * x), rtol=1e-5)


FILE = """
name = "mine"
description = "With two primitives of its own."
max_size = 12
max_depth = 5

[primitives]
add = 1.0
mul = 2.0
softsign = "x / (1 + abs(x))"
gate = { is = "softsign(x) + sigmoid(x)", weight = 3.0 }

[constants]
"""


@pytest.fixture
def grammar(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE, encoding="utf-8")
    return load_grammar(path)


def test_a_grammar_file_defines_primitives_from_others(grammar):
    assert dict(grammar.primitives) == {"add": 1.0, "mul": 2.0, "softsign": 1.0, "gate": 3.0}
    expression = parse("x * gate(2 * x)", defined=grammar.defined)
    assert expression.size == 6
    assert grammar.violation(expression) is None
    plain = parse("x * (2 * x / (1 + abs(2 * x)) + sigmoid(2 * x))")
    assert expanded(expression) == plain
    assert same_function(expression, plain)


def test_a_defined_primitive_is_printed_and_read_without_its_grammar(grammar):
    expression = parse("gate(x) * softsign(x)", defined=grammar.defined)
    text = (
        "gate(x) * softsign(x); gate(x) = x / (1 + abs(x)) + sigmoid(x); "
        "softsign(x) = x / (1 + abs(x))"
    )
    assert str(expression) == text
    assert parse(text) == expression
    layers = parse_activation("[gate(x), tanh(x)]", defined=grammar.defined)
    assert str(layers) == "[gate(x), tanh(x)]; gate(x) = x / (1 + abs(x)) + sigmoid(x)"
    assert parse_activation(str(layers)) == layers


def test_a_defined_primitive_has_the_identity_and_the_slope_of_what_it_stands_for(grammar):
    expression = parse("x * gate(2 * x)", defined=grammar.defined)
    plain = expanded(expression)
    assert expression_id(expression) == expression_id(plain)
    assert readable(expression) == readable(plain)
    assert derivative(expression) == derivative(plain)
    value, slope, _ = with_partials(expression)(POINTS.astype(numpy.float32), {})
    numpy.testing.assert_allclose(value, evaluate(plain, POINTS), atol=1e-5)
    numpy.testing.assert_allclose(slope, evaluate(derivative(plain), POINTS), atol=1e-5)


def test_a_defined_primitive_is_exported_written_out(grammar):
    function = Function(parse("gate(x)", defined=grammar.defined), name="mine")
    for name in ("numpy", "pytorch", "c", "onnx", "latex"):
        assert TARGETS[name].render(function) == TARGETS[name].render(
            Function(expanded(function.expression), name="mine")
        )


def test_defined_primitives_breed(grammar):
    random, seen = Random(3), set()
    trees = [to_tree(grammar.sample(random, depth=(1, 4)), grammar) for _ in range(40)]
    for first, second in pairwise(trees):
        children = [crossover(first, second, grammar, random)]
        children += [mutation(first, grammar, random) for mutation in MUTATIONS.values()]
        for child in filter(None, children):
            expression = to_expression(child)
            assert grammar.violation(expression) is None
            assert parse(str(expression)) == expression
            seen |= {n.primitive for n in expression.walk() if isinstance(n, Call)}
    assert seen == {"add", "mul", "softsign", "gate"}
    small = list(enumerate_functions(grammar, max_size=3))
    assert any("gate(softsign(x))" in str(each) for each in small)


def test_what_a_grammar_defines_is_part_of_its_identity(grammar):
    document = grammar.model_dump(mode="json")
    assert document["definitions"]["softsign"] == "x / (1 + abs(x))"
    assert Grammar.model_validate(document) == grammar
    # A grammar without any says what it said before there were definitions.
    assert "definitions" not in load_grammar("core").model_dump(mode="json")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('sin = "x + 1"', "sin: 'sin' is a name of the language; choose another"),
        ('softsign = "x / (2 + abs(x))"', "softsign: it is the name of the published function"),
        ('mine = "y + 1"', "mine: unknown primitive 'y'; the input is called x"),
        ('mine = "2"', "mine: 'mine' must be a function of x"),
        ('mine = "x * param(\\"a\\", 1)"', "without trainable parameters"),
        ('late = "other(x)"\nother = "x + 1"', "late: unknown primitive 'other'"),
        ('mine = { is = "x + 1", weight = -1.0 }', r"primitives\.mine: .* greater than 0"),
        ('mine = "x * x * x * x + x"\n[nesting]\nat_most = { mine = 6 }', "may grow to"),
        ("mine = 1.0", "primitives.mine: unknown primitive 'mine'"),
        ('soft-sign = "x + 1"', "soft-sign: 'soft-sign' cannot be called in an expression; a name"),
        ('"my gate" = "x + 1"', "my gate: 'my gate' cannot be called in an expression"),
        ('"a;b" = "x + 1"', "a;b: 'a;b' cannot be called in an expression"),
        ('"exp(x)" = "x + 1"', r"'exp\(x\)' cannot be called in an expression"),
        ('"größer" = "x + 1"', "'größer' cannot be called .* letters without accents"),
        (f'{"m" * 41} = "x + 1"', "at most 40 characters in all"),
        ('_ = "x + 1"', "_: '_' is a name of the language; choose another"),
        ('ln = "x + 1"', "ln: it is another spelling of 'log', a name of the language; choose"),
        ('Swish = "x * x"', "Swish: it is the name of the published function"),
        (
            'mine = { is = "x + 1", wieght = 2.0 }',
            r"1 error:\n  primitives\.mine: unknown key 'wieght'; did you mean 'weight'\?",
        ),
        ("mine = { weight = 2.0 }", r"primitives\.mine: expected a weight, a formula, or both as"),
    ],
)
def test_a_definition_that_cannot_be_used_is_refused_with_the_reason(tmp_path, line, problem):
    path = tmp_path / "wrong.toml"
    path.write_text(
        f'name = "wrong"\ndescription = ""\n[primitives]\nadd = 1.0\n{line}\n', encoding="utf-8"
    )
    with pytest.raises(GrammarError, match=problem):
        load_grammar(path)


@pytest.mark.parametrize("definitions", ["3", "[1]", '"x * x"'])
def test_definitions_that_are_no_table_are_refused_with_what_is(tmp_path, definitions):
    path = tmp_path / "wrong.toml"
    path.write_text(
        f'name = "wrong"\ndescription = ""\ndefinitions = {definitions}\n'
        '[primitives]\nadd = 1.0\nmine = "x * x"\n'
    )
    with pytest.raises(
        GrammarError, match=r"1 error:\n  definitions: expected a table of formulas"
    ):
        load_grammar(path)


def test_a_name_of_the_language_may_be_defined_as_what_it_is(tmp_path):
    path = tmp_path / "same.toml"
    path.write_text(
        'name = "same"\ndescription = ""\n[primitives]\nadd = 1.0\nReLU = "max(x, 0)"\n'
        'mul_2 = "2 * x"\n'
    )
    assert set(load_grammar(path).defined) == {"ReLU", "mul_2"}


def test_another_definition_of_the_name_is_another_primitive(grammar):
    other = parse("gate(x); gate(x) = tanh(x)")
    assert "which is not what the grammar defines" in grammar.violation(other)
    assert SimpleNamespace(same=other == parse("gate(x)", defined=grammar.defined)).same is False


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("f(x); f = 3", "expected a definition such as"),
        ("f(x); f(x) = sinn(x)", "did you mean 'sin'"),
        ("f(x);", "expected a definition such as"),
        ("f(" * 40 + "x" + ")" * 40 + "; f(x) = x * x", "nodes; at most 10,000"),
    ],
)
def test_a_definition_in_a_text_is_read_or_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse(text)
