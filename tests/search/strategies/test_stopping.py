"""A campaign under each strategy, and the ends that follow from how the search goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grammars import load_grammar
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Ending, Loop
from search.settings import Settings
from search.strategies import STRATEGIES

from ..simulation import BENCH, Simulation  # noqa: TID252  # tests are no package


def run(folder: Path, *, grammar: str = "core", batch: int = 4, **sections: Any) -> Ending:
    folder.mkdir(exist_ok=True)
    settings = Settings.model_validate(
        {"name": "test", "grammar": grammar, "scoring": {"rungs": [{"steps": 10}, {"steps": 40}]}}
        | sections
    )
    with Journal(folder / FILE_NAME) as journal:
        return Loop(
            settings,
            grammar=load_grammar(grammar),
            bench=BENCH,
            hidden_layers=2,
            journal=journal,
            executor=Simulation(batch=batch),
        ).run()


def told(folder: Path) -> list[Any]:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return [(event.kind, event.key, event.payload) for event in journal.events()]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_runs_a_campaign_whatever_the_batches(tmp_path: Path, strategy: str) -> None:
    sections = {"search": {"strategy": strategy, "population": 8}, "stop": {"generations": 3}}
    assert run(tmp_path / "a", batch=1, **sections) == Ending("3 generations are done")
    run(tmp_path / "b", batch=50, **sections)
    assert told(tmp_path / "a") == told(tmp_path / "b")


def test_islands_run_a_campaign_whatever_the_batches(tmp_path: Path) -> None:
    islands = {"islands": 2, "migration_interval": 2, "lookahead": 1, "population": 8}
    sections = {"search": islands, "stop": {"generations": 5}}
    assert run(tmp_path / "a", batch=1, **sections) == Ending("5 generations are done")
    run(tmp_path / "b", batch=50, **sections)
    assert told(tmp_path / "a") == told(tmp_path / "b")


def test_a_target_that_is_reached_ends_it(tmp_path: Path) -> None:
    stop = {"generations": 50, "target_score": 1.0}
    ending = run(tmp_path, search={"population": 8}, stop=stop)
    assert ending.reason.startswith("the score ")
    assert ending.reason.endswith(" reaches the target 1")
    *_, last = [payload for kind, _, payload in told(tmp_path) if kind == "generation"]
    assert last["best_score"] >= 1.0


def test_patience_ends_it(tmp_path: Path) -> None:
    stop = {"generations": 60, "patience": 3}
    ending = run(tmp_path, search={"population": 8}, stop=stop)
    assert ending == Ending("3 generations brought nothing better")
    best = [p["best_id"] for kind, _, p in told(tmp_path) if kind == "generation"]
    assert len(set(best[-4:])) == 1


def test_a_grammar_without_further_functions_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(
        'name = "two"\ndescription = ""\nmax_size = 3\n[primitives]\nrelu = 1\ntanh = 1\n',
        encoding="utf-8",
    )
    search = {"population": 8, "strategy": "exhaustive"}
    ending = run(tmp_path, grammar=str(path), search=search, stop={"generations": 50})
    assert ending == Ending("the strategy finds no more functions in the grammar")
