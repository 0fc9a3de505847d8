"""A function of its own for each layer, from populations that evolve together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from grammars import (
    Expression,
    Layered,
    by_layer,
    evaluate,
    functions_of,
    load_grammar,
    parse,
)
from search.candidates.candidate import Candidate
from search.settings import SearchSettings
from search.strategies import Strategy, begin

from .battery import admitting_by_layer, generations, standing

EVOLUTIONARY = ("genetic", "regularized_evolution", "nsga2")
LAYERS = 3


def coevolution(**changes: Any) -> Strategy:
    document = {"population": 8, "offspring": 9, "layers": "each"} | changes
    chosen = SearchSettings.model_validate(document)
    return begin(load_grammar("core"), chosen, seed=1, hidden_layers=LAYERS)


def tell(searching: Strategy, asked: list[Candidate], **known: float) -> Candidate:
    """Tells what came of a generation; its best."""
    told = [s for c in asked if (s := standing(c, **known)) is not None]
    searching.tell(told)
    return max(told, key=lambda s: (s.rank_key, s.candidate.id)).candidate


def functions(candidate: Candidate) -> tuple[str, ...]:
    return tuple(map(str, by_layer(candidate.expression, LAYERS)))


@pytest.mark.parametrize("strategy", EVOLUTIONARY)
def test_every_network_is_new_whole_and_within_the_grammar(strategy: str) -> None:
    asked = generations(strategy, layers="each")
    assert [len(group) for group in asked] == [12] * 6
    candidates = [candidate for group in asked for candidate in group]
    assert len({candidate.id for candidate in candidates}) == len(candidates)
    grammar = load_grammar("core")
    for candidate in candidates:
        assert all(grammar.violation(f) is None for f in functions_of(candidate.expression))
    assert isinstance(candidates[-1].expression, Layered)
    assert len(candidates[-1].expression.functions) == LAYERS


def test_the_first_generation_serves_in_all_layers() -> None:
    founders = coevolution().ask(9, generation=0, admit=admitting_by_layer())
    assert all(isinstance(founder.expression, Expression) for founder in founders)
    assert {founder.variation for founder in founders} == {"random"}


def test_every_layer_has_its_turn_in_generations_smaller_than_the_network() -> None:
    searching, admit = coevolution(), admitting_by_layer()
    tell(searching, searching.ask(9, generation=0, admit=admit))
    asked = [searching.ask(2, generation=number, admit=admit) for number in range(1, 10)]
    turns = Counter(each.variation.rpartition("(")[2] for group in asked for each in group)
    assert len(turns) == LAYERS
    assert set(turns.values()) == {18 // LAYERS}


def test_a_new_function_meets_the_best_partners_and_random_ones() -> None:
    searching, admit = coevolution(), admitting_by_layer()
    leader = tell(searching, searching.ask(9, generation=0, admit=admit))
    networks = searching.ask(9, generation=1, admit=admit)
    random_partners = set()
    for number, network in enumerate(networks):
        own, turn = divmod(number, 3)
        partners = [f for place, f in enumerate(functions(network)) if place != own]
        assert not admit(parse(functions(network)[own]), layer=own)
        if turn == 1:
            random_partners.update(partners)
        else:
            assert partners == [str(leader.expression)] * 2
        assert network.variation.endswith(f"({('first', 'middle', 'last')[own]})")
    assert random_partners - {str(leader.expression)}, "not always the best"


def test_a_function_is_worth_what_its_best_network_is() -> None:
    searching, admit = coevolution(), admitting_by_layer()
    leader = tell(searching, searching.ask(9, generation=0, admit=admit))
    tell(searching, searching.ask(9, generation=1, admit=admit), loss=1e6)
    first = searching.ask(9, generation=2, admit=admit)[0]
    assert functions(first)[1:] == (str(leader.expression),) * 2


@pytest.mark.parametrize("strategy", EVOLUTIONARY)
def test_networks_descend_from_earlier_networks(strategy: str) -> None:
    asked = generations(strategy, layers="each")
    earlier: set[str] = set()
    for group in asked:
        for candidate in group:
            assert set(candidate.parents) <= earlier
            assert candidate.parents or isinstance(candidate.expression, Expression)
        earlier |= {candidate.id for candidate in group}


def test_cooperation_finds_what_each_layer_needs() -> None:
    x = np.linspace(-3.0, 3.0, 61)
    wanted = [evaluate(parse(text), x) for text in ("0.5 * x", "abs(x)", "sin(x)")]

    def distance(candidate: Candidate) -> float:
        values = [evaluate(f, x) for f in by_layer(candidate.expression, LAYERS)]
        return float(np.mean(np.abs(np.subtract(values, wanted))))

    def nearest(layers: str) -> float:
        searching, admit = coevolution(layers=layers, population=24), admitting_by_layer()
        distances = []
        for generation in range(15):
            asked = searching.ask(24, generation=generation, admit=admit)
            told = [standing(c, loss=0.01 + distance(c)) for c in asked]
            searching.tell(each for each in told if each is not None)
            distances += [distance(c) for c in asked]
        return float(np.nanmin(distances))

    assert nearest("each") < 0.5 * nearest("shared")


def test_seeds_start_in_every_place() -> None:
    chosen = ["[swish, tanh(x)]"]
    first, second, *_ = generations("genetic", layers="each", start_from=chosen)[0]
    assert str(first.expression) == "x * sigmoid(x)"
    assert str(second.expression) == "tanh(x)"
    assert first.variation == "seed"


@pytest.mark.parametrize(
    ("layers", "hidden_layers", "count"),
    [
        ("shared", 8, 1),
        ("each", 8, 8),
        ("each", 2, 2),
        ("first_middle_last", 8, 3),
        ("first_middle_last", 2, 2),
    ],
)
def test_a_network_has_as_many_places_as_it_can_use(
    layers: str, hidden_layers: int, count: int
) -> None:
    assert SearchSettings.model_validate({"layers": layers}).functions(hidden_layers) == count


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"strategy": "random"}, "layers: the strategy 'random' has no population"),
        ({"strategy": "exhaustive"}, "layers: the strategy 'exhaustive' has no population"),
        ({"islands": 2}, "islands must be 1, not 2"),
    ],
)
def test_what_cannot_coevolve_is_refused(document: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SearchSettings.model_validate({"layers": "each", **document})
