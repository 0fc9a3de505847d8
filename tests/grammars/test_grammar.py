"""Grammars: what they allow, what they draw, and how they refuse a wrong file."""

from random import Random

import pytest
from pydantic import ValidationError

from grammars import PRIMITIVES, Call, Grammar, GrammarError, grammar_names, load_grammar, parse
from grammars.expressions.expression import (
    Expression,
    Parameter,
)
from grammars.expressions.parameters import conflicting_parameters, rename_parameters


def grammar(**fields) -> Grammar:
    """A grammar of a few primitives, with some fields set."""
    defaults = {
        "name": "test",
        "description": "for this test",
        "primitives": {"neg": 1, "exp": 1, "sin": 1, "sqrt": 1, "square": 1, "add": 2, "mul": 2},
    }
    return Grammar.model_validate(defaults | fields)


def samples(language: Grammar, count: int = 300, **options) -> list[Expression]:
    random = Random(7)
    return [language.sample(random, depth=(1, 5), **options) for _ in range(count)]


def test_the_shipped_grammars_are_those_that_the_documentation_names():
    assert grammar_names() == (
        "bingham2020",
        "core",
        "parametric",
        "periodic",
        "piecewise",
        "smooth",
        "tiny",
    )


@pytest.mark.parametrize("name", grammar_names())
@pytest.mark.parametrize("method", ["grow", "full"])
def test_every_sample_is_within_the_limits_and_holds_x(name, method):
    language = load_grammar(name)
    for expression in samples(language, method=method):
        assert language.violation(expression) is None
        assert expression.uses_input
        assert parse(str(expression)) == expression


@pytest.mark.parametrize("name", grammar_names())
def test_samples_depend_on_the_generator_alone(name):
    assert samples(load_grammar(name), 50) == samples(load_grammar(name), 50)


def test_samples_are_varied():
    assert len(set(samples(load_grammar("core")))) > 200


def test_samples_of_the_full_method_reach_the_depth_that_was_asked_for():
    random = Random(0)
    language = grammar(max_size=100)
    assert {language.sample(random, depth=(4, 4), method="full").depth for _ in range(50)} == {4}


def test_smooth_has_no_kinks():
    assert all(PRIMITIVES[name].smooth for name in load_grammar("smooth").primitives)


def test_parameters_stand_on_edges_and_have_names_of_their_own():
    drawn = samples(load_grammar("parametric"))
    counts = {len(expression.parameters) for expression in drawn}
    assert counts == {0, 1, 2, 3}
    assert not any(conflicting_parameters(expression) for expression in drawn)


def test_every_constant_range_is_kept():
    language = grammar(constants={"low": -0.5, "high": 0.25, "decimals": 1})
    values = {language.sample_constant(Random(seed)).value for seed in range(200)}
    assert values == {-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2}


def test_a_grammar_without_constants_says_so():
    with pytest.raises(ValueError, match="'test' has no constants"):
        grammar().sample_constant(Random(0))


@pytest.mark.parametrize(
    ("fields", "text", "words"),
    [
        ({"max_size": 3}, "x + x * x", "the size is 5 nodes; at most 3"),
        ({"max_depth": 1}, "x + x * x", "the depth is 2; at most 1"),
        ({}, "tanh(x)", "'tanh' is not in the grammar"),
        ({}, "x + 1", "the constant 1 is not allowed"),
        ({"constants": {"low": 0, "high": 1}}, "x + 2", "the constant 2 is not allowed"),
        ({"constants": {"choices": [2]}}, "x + 1", "the constant 1 is not allowed"),
        ({}, 'x * param("a", 1)', "the parameter 'a' per channel is not allowed"),
        ({"parameters": {"per": ["layer"]}}, 'x * param("a", 1)', "per channel is not allowed"),
        (
            {"parameters": {"max_count": 1}},
            'param("a", 1) * x + param("b", 1)',
            "2 parameters; at most 1",
        ),
        ({"constants": {}}, "exp(1)", "x does not occur"),
        ({"input_at_root": True}, "exp(x) * sin(x)", "x must be an operand of the root"),
        ({"root": "add"}, "x * x", "the root must be 'add', not 'mul'"),
        ({"root": "add"}, "x", "the root must be 'add', not 'x'"),
        ({"nesting": {"not_inside": {"exp": ["exp"]}}}, "exp(-exp(x))", "'exp' must not be inside"),
        ({"nesting": {"at_most": {"sin": 1}}}, "sin(x) + sin(x)", "'sin' occurs 2 times; at most"),
        ({"nesting": {"only_of": {"sqrt": ["square"]}}}, "sqrt(x)", "'sqrt' must be of square"),
        ({"primitives": {"pow": 1}, "constants": {}}, "x ** x", "'pow' takes a constant where"),
        ({"primitives": {"where": 1, "neg": 1}}, "where(-x >= 0, x, x)", "'where' compares x with"),
    ],
)
def test_a_violation_is_said_in_words(fields, text, words):
    violation = grammar(**fields).violation(parse(text))
    assert violation is not None
    assert words in violation


def test_what_keeps_every_rule_is_no_violation():
    assert grammar(constants={}).violation(parse("x * exp(-x) + 0.5")) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"nesting": {"not_inside": {"exp": ["exp", "sin"]}}},
        {"nesting": {"at_most": {"sin": 1, "exp": 2}}},
        {"nesting": {"only_of": {"sqrt": ["square", "exp"]}}},
        {"max_size": 4},
        {"max_depth": 2},
        {"input_at_root": True},
        {"root": "mul"},
        {"primitives": {"where": 1, "clip": 1, "pow": 1, "neg": 1}, "constants": {}},
        {"parameters": {"on_edges": 0.5, "start": [0.5, 2], "per": ["layer", "network"]}},
    ],
)
def test_samples_keep_each_rule(fields):
    language = grammar(**fields)
    for method in ("grow", "full"):
        for expression in samples(language, method=method):
            assert language.violation(expression) is None


def test_clip_bounds_are_drawn_in_order():
    language = grammar(primitives={"clip": 1}, constants={})
    for expression in samples(language):
        for node in expression.walk():
            if isinstance(node, Call):
                assert node.operands[1].value <= node.operands[2].value


def test_parameters_are_renamed_in_order_of_appearance():
    twice = Call("mul", (Parameter("a", 1.0), Call("add", (Parameter("a", 2.0), parse("x")))))
    assert conflicting_parameters(twice) == ("a",)
    assert str(rename_parameters(twice, ("u", "v"))) == (
        'param("u", 1, per="channel") * (param("v", 2, per="channel") + x)'
    )


def test_a_path_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ndescription = "d"\n[primitives]\nrelu = 1\n')
    assert load_grammar(path).name == load_grammar(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name = \n", r"not valid TOML: .*line 1, column"),
        ('name = "a"', r"2 errors:\n  description: missing; it is required"),
        ("[primitives]\nsigmiod = 1", r"primitives\.sigmiod: unknown primitive 'sigmiod'; did you"),
        ("max_sise = 3", r"max_sise: unknown key; did you mean 'max_size'\?"),
        ("[constants]\nlo = 3", r"constants\.lo: unknown key; did you mean 'low'\?"),
        ("max_depth = 1000", r"max_depth: Input should be less than or equal to 60; got 1000"),
    ],
)
def test_every_error_in_a_file_is_told_with_its_path(tmp_path, content, words):
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(GrammarError, match=words):
        load_grammar(path)


def test_all_errors_are_told_at_once(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('max_size = "a"\nspeed = 1\n[primitives]\nrelo = 1\n')
    with pytest.raises(GrammarError) as caught:
        load_grammar(path)
    for part in ("5 errors", "name: missing", "description: missing", "max_size", "speed", "relo"):
        assert part in str(caught.value)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(GrammarError, match="unknown grammar 'cor'; did you mean 'core'"):
        load_grammar("cor")


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(GrammarError, match="cannot read the grammar"):
        load_grammar(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"root": "tanh"}, "root 'tanh' is not among the primitives"),
        ({"primitives": {"pow": 1}}, "'pow' takes constants, and the grammar has none"),
        ({"nesting": {"only_of": {"sqrt": ["tanh"]}}}, "names no primitive of this grammar"),
        ({"nesting": {"only_of": {"add": ["sin"]}}}, "only a primitive of one argument"),
        ({"root": "add", "max_size": 2}, "no primitive can stand at the root"),
        ({"primitives": {"neg": 1}, "input_at_root": True}, "no primitive can stand at the root"),
        ({"constants": {"low": 1, "high": 1}}, "low must be below high"),
        ({"parameters": {"start": [2, 1]}}, "a start range goes from low to high"),
        ({"primitives": {"neg": -1}}, "greater than 0"),
    ],
)
def test_a_grammar_that_contradicts_itself_is_refused(fields, words):
    with pytest.raises(ValidationError, match=words):
        grammar(**fields)


def test_a_rule_that_runs_in_a_circle_leaves_its_primitive_out():
    language = grammar(nesting={"only_of": {"sqrt": ["sqrt"]}})
    assert "sqrt" not in "".join(map(str, samples(language)))


def test_depths_must_be_in_order():
    with pytest.raises(ValueError, match=r"expected depths 0 <= low <= high, got \(3, 1\)"):
        grammar().sample(Random(0), depth=(3, 1))


def test_rules_of_what_stands_in_what_take_no_longer_the_more_there_are():
    names = ["sin", "cos", "tanh", "sigmoid", "exp", "atan", "erf", "square", "abs", "softplus"]
    only_of = {name: [*(other for other in names if other != name), "add"] for name in names}
    language = grammar(primitives=dict.fromkeys([*names, "add"], 1), nesting={"only_of": only_of})
    drawn = [language.sample(Random(seed), depth=(1, 4)) for seed in range(20)]
    assert all(language.violation(each) is None for each in drawn)
    assert len(set(map(str, drawn))) > 5
