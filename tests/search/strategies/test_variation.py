"""Variation: every operator, under every grammar, makes only what the grammar can write."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grammars import Call, Constant, Expression, Grammar, grammar_names, load_grammar, parse
from search.strategies.places import dissect
from search.strategies.trees import to_expression, to_tree
from search.strategies.variation import (
    MUTATIONS,
    applicable,
    branch_swap,
    constant,
    crossover,
    hoisting,
    insertion,
    parameter_addition,
    parameter_removal,
    point,
    shrinking,
    subtree,
)


def grammar(**changes: Any) -> Grammar:
    document: dict[str, Any] = {
        "name": "narrow",
        "description": "",
        "primitives": {"sin": 1.0, "exp": 1.0, "mul": 1.0, "add": 1.0, "sqrt": 1.0, "abs": 1.0},
        "max_size": 9,
        "max_depth": 4,
        "constants": {"low": -2.0, "high": 2.0},
    }
    return Grammar.model_validate(document | changes)


NARROW = {
    "sizes": grammar(max_size=5, max_depth=2),
    "nesting": grammar(
        nesting={
            "only_of": {"sqrt": ["abs"]},
            "not_inside": {"exp": ["exp", "sin"], "sin": ["mul"]},
            "at_most": {"sin": 1, "add": 2},
        }
    ),
    "root": grammar(root="mul", input_at_root=True),
    "typed": grammar(
        primitives={"where": 1.0, "clip": 1.0, "pow": 1.0, "sin": 1.0, "mul": 1.0},
        parameters={"per": ["layer", "channel"], "start": (0.5, 1.5), "max_count": 2},
    ),
}
GRAMMARS = {name: load_grammar(name) for name in grammar_names()} | NARROW


def depends_on_input(expression: Expression) -> bool:
    """Whether no call in it could be folded to a number."""
    return all(call.uses_input for call in expression.walk() if isinstance(call, Call))


@pytest.mark.parametrize("name", GRAMMARS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_children_of_children_keep_every_rule(name: str, seed: int) -> None:
    chosen, generator = GRAMMARS[name], Random(seed)
    trees = [to_tree(chosen.sample(generator, depth=(1, 4)), chosen) for _ in range(4)]
    for _ in range(6):
        for mutate in MUTATIONS.values():
            tree = generator.choice(trees)
            mutant = mutate(tree, chosen, generator)
            mate = generator.choice(trees)
            child = crossover(mutant or tree, mate, chosen, generator)
            for made in (mutant, child):
                if made is not None:
                    expression = to_expression(made)
                    assert chosen.violation(expression) is None, expression
                    assert depends_on_input(expression), expression
                    trees[generator.randrange(len(trees))] = made


@pytest.mark.parametrize("name", GRAMMARS)
def test_variation_leaves_the_parents_alone_and_changes_the_child(name: str) -> None:
    chosen, generator = GRAMMARS[name], Random(2)
    for mutate in MUTATIONS.values():
        for _ in range(5):
            parent = chosen.sample(generator, depth=(1, 3))
            tree = to_tree(parent, chosen)
            child = mutate(tree, chosen, generator)
            assert to_expression(tree) == parent
            assert child is None or to_expression(child) != parent


@pytest.mark.parametrize("name", GRAMMARS)
def test_each_applicable_operator_finds_something_to_do(name: str) -> None:
    chosen, generator = GRAMMARS[name], Random(3)
    expected = applicable(chosen)
    busy = set()
    for _ in range(200):
        tree = to_tree(chosen.sample(generator, depth=(1, 4)), chosen)
        # In the order of the operators, not of a set: they share the generator.
        busy |= {label for label in expected if MUTATIONS[label](tree, chosen, generator)}
    assert busy == set(expected)


def children(operator: Any, text: str, chosen: Grammar, *, count: int = 100) -> set[str]:
    generator = Random(4)
    tree = to_tree(parse(text), chosen)
    made = (operator(tree, chosen, generator) for _ in range(count))
    return {str(to_expression(child)) for child in made if child is not None}


def test_shrinking_puts_an_operand_in_place_of_its_call() -> None:
    assert children(shrinking, "sin(x) * exp(x)", grammar()) == {
        "sin(x)",
        "exp(x)",
        "x * exp(x)",
        "sin(x) * x",
    }


def test_hoisting_makes_an_inner_call_the_whole() -> None:
    assert children(hoisting, "sin(x + 1) * abs(x)", grammar()) == {"sin(x + 1)", "x + 1", "abs(x)"}


def test_a_point_mutation_keeps_the_shape() -> None:
    shapes = children(point, "sin(x) * exp(x)", grammar())
    assert len(shapes) > 5
    assert {parse(text).size for text in shapes} == {5}


def test_an_insertion_keeps_what_was_there() -> None:
    made = children(insertion, "sin(x)", grammar())
    assert made
    assert all("sin(" in text and parse(text).size > 2 for text in made)


def test_a_subtree_mutation_stays_within_what_is_left() -> None:
    made = children(subtree, "sin(sin(x))", grammar(max_size=4, max_depth=3))
    assert len(made) > 5
    assert max(parse(text).size for text in made) == 4


def test_constants_move_in_small_steps_and_stay_in_range() -> None:
    texts = children(constant, "x * 1.9", grammar(), count=500)
    values = [n.value for t in texts for n in parse(t).walk() if isinstance(n, Constant)]
    assert all(-2.0 <= value <= 2.0 and round(value, 2) == value for value in values)
    assert 1.9 not in values
    assert sum(abs(value - 1.9) < 0.5 for value in values) > len(values) / 3
    assert min(values) < 0.0, "some are drawn anew"


def test_a_constant_with_choices_moves_to_another_choice() -> None:
    chosen = grammar(constants={"choices": [0.5, 1.0, 2.0]})
    assert children(constant, "x * 1", chosen) == {"x * 0.5", "x * 2"}
    assert not children(constant, "x * 1", grammar(constants={"choices": [1.0]}))


def test_the_bounds_of_a_clip_stay_in_order() -> None:
    chosen = NARROW["typed"]
    for text in children(constant, "clip(x, 0.1, 0.2)", chosen):
        low, high = (n.value for n in parse(text).walk() if isinstance(n, Constant))
        assert low <= high


def test_a_swap_exchanges_the_branches() -> None:
    chosen = NARROW["typed"]
    assert children(branch_swap, "where(x >= 0, sin(x), x)", chosen) == {"where(x >= 0, x, sin(x))"}
    assert not children(branch_swap, "where(x >= 0, x, x)", chosen)


def test_parameters_come_and_go() -> None:
    chosen = grammar(parameters={"per": ["layer"], "start": 1.0, "max_count": 2})
    scaled = 'param("a", 1, per="layer") * sin(x)'
    assert scaled in children(parameter_addition, "sin(x)", chosen)
    assert children(parameter_removal, scaled, chosen) == {"sin(x)", "1 * sin(x)"}
    both = 'param("a", 1, per="layer") * sin(param("b", 1, per="layer") * x)'
    assert not children(parameter_addition, both, chosen)
    assert 'x * param("a", 1, per="layer")' in children(parameter_addition, "x * 1.5", chosen)


def test_crossover_gives_the_donor_s_parameters_names_of_their_own() -> None:
    chosen = grammar(parameters={"per": ["layer"], "start": 1.0, "max_count": 3})
    first = to_tree(parse('param("a", 1, per="layer") * exp(x)'), chosen)
    second = to_tree(parse('sin(param("a", 2, per="layer") * x)'), chosen)
    generator, counts = Random(0), set()
    for _ in range(100):
        child = crossover(first, second, chosen, generator)
        assert child is not None
        counts.add(len(to_expression(child).parameters))
    assert counts == {0, 1, 2}


def test_crossover_of_leaves_that_are_alike_finds_nothing() -> None:
    tree = to_tree(parse("x"), grammar())
    assert crossover(tree, tree, grammar(), Random(0)) is None


def test_places_know_what_is_left() -> None:
    chosen = NARROW["nesting"]
    anatomy = dissect(to_tree(parse("exp(abs(x)) + x * 2"), chosen), chosen)
    names = [str(to_expression(branch.nodes)) for branch in anatomy.branches]
    inner = anatomy.place(names.index("abs(x)"))
    assert (inner.size, inner.depth, inner.above) == (9 - 7 + 2, 2, ("add", "exp"))
    assert inner.needs_input
    factor = anatomy.place(names.index("2"))
    assert not factor.needs_input
    assert not anatomy.place(names.index("x * 2")).needs_input
