"""Several populations side by side, and what passes between them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from grammars import FunctionIndex, load_grammar
from search.settings import SearchSettings
from search.strategies import Archipelago, begin

from .battery import admitting, generations, standing, texts

EVOLUTIONARY = ("genetic", "regularized_evolution", "nsga2")


def archipelago(**changes: object) -> Archipelago:
    document = {"population": 18, "offspring": 9, "islands": 3, "migration_interval": 2} | changes
    searching = begin(load_grammar("core"), SearchSettings.model_validate(document), seed=1)
    assert isinstance(searching, Archipelago)
    return searching


def run(searching: Archipelago, *, generations: range) -> None:
    admit = admitting(FunctionIndex())
    for generation in generations:
        asked = searching.ask(9, generation=generation, admit=admit)
        assert len(asked) == 9
        searching.tell([s for c in asked if (s := standing(c)) is not None])


def test_islands_breed_apart_until_some_migrate() -> None:
    searching = archipelago(migrants=2)
    run(searching, generations=range(2))
    before = searching.populations
    assert all(not a & b for n, a in enumerate(before) for b in before[n + 1 :])
    searching.ask(9, generation=2, admit=admitting(FunctionIndex()))
    after = searching.populations
    for number, residents in enumerate(after):
        arrived = residents - before[number]
        assert arrived, "the best of an island survive on the next one"
        assert arrived <= before[number - 1]
        assert len(arrived) <= 2


def test_without_migrants_islands_stay_apart() -> None:
    searching = archipelago(migrants=0)
    run(searching, generations=range(5))
    populations = searching.populations
    assert all(not a & b for n, a in enumerate(populations) for b in populations[n + 1 :])


def test_the_best_migrate() -> None:
    searching = archipelago(migrants=1, migration_interval=1)
    admit = admitting(FunctionIndex())
    asked = searching.ask(9, generation=0, admit=admit)
    told = [s for c in asked if (s := standing(c)) is not None]
    searching.tell(told)
    of_first = [s for s in told if s.candidate.id in searching.populations[0]]
    best = max(of_first, key=lambda s: s.rank_key).candidate.id
    searching.ask(9, generation=1, admit=admit)
    assert best in searching.populations[1]


@pytest.mark.parametrize("strategy", EVOLUTIONARY)
def test_islands_are_one_search_in_any_order_of_arrival(strategy: str) -> None:
    settings = {"islands": 3, "migration_interval": 2, "count": 5}
    usual = generations(strategy, **settings)
    assert texts(usual) == texts(generations(strategy, arriving=reversed, **settings))
    assert texts(usual) != texts(generations(strategy, count=5))
    assert [len(group) for group in usual] == [12] * 5


def test_starting_points_are_shared_out() -> None:
    chosen = ("swish", "x * tanh(x)", "x * erf(x)", "max(x, tanh(x))")
    first = generations("genetic", islands=2, start_from=chosen, count=1)[0]
    seeds = [n for n, candidate in enumerate(first) if candidate.variation == "seed"]
    assert seeds == [0, 1, 6, 7]


def test_vitals_are_means_over_the_islands() -> None:
    searching = archipelago()
    run(searching, generations=range(3))
    vitals = searching.vitals
    assert vitals.diversity is not None
    assert 0.0 < vitals.diversity <= 1.0
    assert sum(vitals.rates.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"islands": 5, "population": 16}, "each needs at least 4 individuals"),
        ({"islands": 2, "population": 16, "migrants": 8}, "more than its 8 migrants"),
        ({"islands": 4, "population": 64, "offspring": 3}, "3 offspring"),
        ({"islands": 2, "strategy": "random"}, "the strategy 'random' has no population"),
    ],
)
def test_islands_need_room(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SearchSettings.model_validate(changes)
