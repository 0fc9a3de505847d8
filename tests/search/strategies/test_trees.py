"""DEAP's trees and the loan of its random state."""

from __future__ import annotations

import random
from random import Random

import pytest
from deap import gp

from grammars import Grammar, grammar_names, load_grammar, parse
from search.strategies.trees import Anything, Fixed, Input, lent_random, to_expression, to_tree


@pytest.mark.parametrize("name", grammar_names())
def test_samples_survive_the_way_to_a_tree_and_back(name: str) -> None:
    grammar, generator = load_grammar(name), Random(5)
    for _ in range(200):
        expression = grammar.sample(generator, depth=(0, 6))
        tree = to_tree(expression, grammar)
        assert to_expression(tree) == expression
        assert isinstance(tree, gp.PrimitiveTree)
        assert (len(tree), tree.height) == (expression.size, expression.depth)


def test_operands_have_the_types_that_the_grammar_names() -> None:
    grammar = Grammar.model_validate(
        {
            "name": "typed",
            "description": "",
            "primitives": {"clip": 1.0, "where": 1.0},
            "constants": {},
        }
    )
    tree = to_tree(parse("where(x >= 0, clip(x, -1, 2), x)"), grammar)
    assert [node.ret for node in tree] == [
        Anything,
        Input,
        Anything,
        Anything,
        Fixed,
        Fixed,
        Anything,
    ]


def test_a_loan_leaves_the_global_random_state_as_it_was() -> None:
    random.seed(11)
    expected = [random.random(), random.random()]
    random.seed(11)
    generator = Random(7)
    with lent_random(generator):
        lent = random.random()
    assert [random.random(), random.random()] == expected
    same = Random(7)
    assert lent == same.random()
    assert generator.random() == same.random()


def test_a_loan_is_given_back_when_the_borrower_fails() -> None:
    def break_off() -> None:
        with lent_random(Random(1)):
            random.random()
            raise RuntimeError("broken")

    before = random.getstate()
    with pytest.raises(RuntimeError, match="broken"):
        break_off()
    assert random.getstate() == before
