"""Enumeration: complete, without repetition, and the counts that the documentation states."""

from itertools import product
from random import Random

import numpy

from grammars import Call, Constant, Grammar, evaluate, load_grammar, same_function
from grammars.expressions.expression import Expression, X
from grammars.space.enumeration import enumerate_functions, tally

POINTS = numpy.linspace(-30, 30, 61)

SMALL = Grammar(
    name="small",
    description="for this test",
    primitives={"neg": 1, "relu": 1, "add": 1},
    constants={"choices": [1.0]},
)


def written_by_hand(size: int) -> list[Expression]:
    """All expressions of SMALL with exactly so many nodes."""
    if size == 1:
        return [X, Constant(1.0)]
    unary = [Call(name, (e,)) for name in ("neg", "relu") for e in written_by_hand(size - 1)]
    binary = [
        Call("add", pair)
        for left in range(1, size - 1)
        for pair in product(written_by_hand(left), written_by_hand(size - 1 - left))
    ]
    return unary + binary


def test_every_function_is_found_once():
    found = list(enumerate_functions(SMALL, max_size=5))
    for first in found:
        assert sum(same_function(first, second) for second in found) == 1
    for size in range(1, 6):
        for expression in written_by_hand(size):
            known = any(same_function(expression, other) for other in found)
            assert known == (numpy.ptp(evaluate(expression, POINTS)) > 0)


def test_the_counts_are_those_of_writing_everything_down():
    rows = tally(SMALL, max_size=5)
    for row in rows:
        assert row.expressions == sum(e.uses_input for e in written_by_hand(row.size))


def test_tiny_holds_what_the_documentation_says():
    rows = tally(load_grammar("tiny"), max_size=5)
    assert [row.expressions for row in rows] == [1, 4, 25, 172, 1246]
    assert [row.functions for row in rows] == [1, 4, 15, 63, 274]


def test_samples_of_tiny_are_among_the_functions():
    tiny = load_grammar("tiny")
    found = list(enumerate_functions(tiny, max_size=4))
    random = Random(0)
    for _ in range(30):
        sample = tiny.sample(random, depth=(1, 3))
        if sample.size <= 4:
            assert any(same_function(sample, function) for function in found)


def test_rules_are_kept():
    ruled = SMALL.model_copy(update={"root": "add", "max_size": 4})
    found = list(enumerate_functions(ruled, max_size=9))
    assert {"x + x", "x + 1"} <= {str(e) for e in found}
    assert all(ruled.violation(e) is None for e in found)


def test_sizes_with_too_many_expressions_are_left_out():
    assert [row.size for row in tally(load_grammar("core"), max_size=6, most_expressions=250)] == [
        1,
        2,
    ]


def test_sizes_beyond_the_first_that_is_too_large_are_left_out_although_they_are_empty():
    binary = Grammar(name="binary", description="", primitives={"add": 1, "mul": 1})
    counts = {row.size: row.expressions for row in tally(binary, max_size=6)}
    assert counts == {1: 1, 2: 0, 3: 2, 4: 0, 5: 8, 6: 0}
    sizes = [row.size for row in tally(binary, max_size=6, most_expressions=5)]
    assert sizes == [1, 2, 3, 4]
