"""What every strategy must hold; a new one joins by its row in the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

import pytest

from grammars import FunctionIndex, load_grammar
from search.settings import SearchSettings, SettingsError, StrategyName, load_settings
from search.strategies import STRATEGIES

from .battery import admitting, distance, generations, texts

EVOLUTIONARY = ("genetic", "regularized_evolution", "nsga2")


def test_the_settings_know_the_strategies_of_the_table() -> None:
    assert set(STRATEGIES) == set(get_args(StrategyName))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_generation_is_whole_new_and_within_the_grammar(strategy: str) -> None:
    # A range of constants is one constant to an enumeration of `core`, which is large enough.
    asked = generations(strategy)
    assert [len(group) for group in asked] == [12] * 6
    candidates = [candidate for group in asked for candidate in group]
    grammar, known = load_grammar("core"), FunctionIndex()
    admit = admitting(known)
    for candidate in candidates:
        assert grammar.violation(candidate.expression) is None
        assert admit(candidate.expression), f"{candidate.expression} was asked for twice"
    assert [c.generation for group in asked for c in group] == [
        n for n in range(6) for _ in range(12)
    ]


@pytest.mark.parametrize(
    ("strategy", "layers"),
    [(strategy, "shared") for strategy in STRATEGIES]
    + [(strategy, "each") for strategy in EVOLUTIONARY],
)
def test_results_may_arrive_in_any_order(strategy: str, layers: str) -> None:
    usual = generations(strategy, layers=layers)
    assert texts(usual) == texts(generations(strategy, layers=layers, arriving=reversed))


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"exhaustive"}))
def test_another_seed_is_another_search(strategy: str) -> None:
    assert texts(generations(strategy, count=2)) != texts(generations(strategy, count=2, seed=2))


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [(strategy, {}) for strategy in STRATEGIES]
    + [("genetic", {"grammar": "piecewise"})]
    + [(strategy, {"layers": "each"}) for strategy in EVOLUTIONARY],
)
def test_one_seed_is_one_search_in_any_process(strategy: str, settings: dict[str, Any]) -> None:
    here = texts(generations(strategy, **settings))
    script = Path(__file__).with_name("battery.py")
    code = (
        "import xml.dom, decimal, asyncio, random, runpy, sys; random.seed(77); "
        f"sys.argv[1:] = [{strategy!r}, {json.dumps(settings)!r}]; "
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == here


@cache
def nearest(strategy: str) -> float:
    """The best distance of a search, mean over some seeds."""
    # So short a search is won by choosing hard.
    hard = {"regularized_evolution": {"tournament": 12}, "surrogate": {"brood": 150}}.get(
        strategy, {}
    )
    runs = [generations(strategy, seed=seed, count=25, **hard) for seed in range(4)]
    return fmean(min(distance(c.expression) for group in run for c in group) for run in runs)


@pytest.mark.parametrize("strategy", [*EVOLUTIONARY, "surrogate"])
def test_evolution_gets_nearer_than_chance(strategy: str) -> None:
    assert nearest(strategy) < nearest("random") - 0.015


@pytest.mark.parametrize("strategy", EVOLUTIONARY)
def test_children_name_their_parents_and_what_made_them(strategy: str) -> None:
    asked = generations(strategy)
    earlier = {candidate.id for candidate in asked[0]}
    for group in asked[1:]:
        for candidate in group:
            assert set(candidate.parents) <= earlier
            assert len(candidate.parents) == {"random": 0, "crossover": 2}.get(
                candidate.variation, 1
            )
        earlier |= {candidate.id for candidate in group}
    crossed = any(c.variation == "crossover" for group in asked for c in group)
    assert crossed == (strategy != "regularized_evolution")


def test_an_exhausted_grammar_gives_fewer() -> None:
    grammar = load_grammar("tiny").model_copy(update={"max_size": 4})
    searching = STRATEGIES["exhaustive"](grammar, SearchSettings(), seed=0)
    admit = admitting(FunctionIndex())
    asked = [searching.ask(30, generation=number, admit=admit) for number in range(4)]
    assert [len(group) == 30 for group in asked] == [True, True, False, False]
    assert asked[-1] == []
    sizes = [candidate.expression.size for group in asked for candidate in group]
    assert sizes == sorted(sizes)


def test_starting_points_come_first() -> None:
    chosen = ("swish", "x * tanh(x)", "x * sigmoid(x)")
    first, second, *_ = generations("genetic", start_from=chosen)[0]
    assert [str(first.expression), str(second.expression)] == ["x * sigmoid(x)", "x * tanh(x)"]
    assert first.variation == second.variation == "seed"


def test_the_hall_of_fame_of_another_campaign_is_a_starting_point(tmp_path: Path) -> None:
    rows = ["rank,expression,score", "1,x * erf(x),2.0", '2,"max(x, tanh(x))",1.0', "3,x ** 3,0.5"]
    (tmp_path / "hall_of_fame.csv").write_text("\n".join(rows), encoding="utf-8")
    first, second, third, *_ = generations("nsga2", start_from=[str(tmp_path)])[0]
    assert [str(first.expression), str(second.expression)] == ["x * erf(x)", "max(x, tanh(x))"]
    assert third.variation == "random", "what the grammar cannot write is left out"


def test_starting_points_that_cannot_be_used_are_all_named(tmp_path: Path) -> None:
    chosen = SearchSettings(start_from=("swosh", "log(x)", str(tmp_path)))
    with pytest.raises(SettingsError) as caught:
        STRATEGIES["genetic"](load_grammar("core"), chosen, seed=0)
    message = str(caught.value)
    assert "'swosh': unknown" in message
    assert "the grammar 'core' cannot write" in message
    assert "the folder has no hall_of_fame.csv; name the folder of a campaign" in message


def test_only_evolution_has_a_starting_point(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[search]\nstrategy = "random"\nstart_from = ["swish"]', encoding="utf-8")
    with pytest.raises(SettingsError, match="the strategy 'random' starts from nothing"):
        load_settings(path)
