"""Runs a small campaign under every strategy and writes what its journal tells, times aside."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from evaluators.tasks import find_task
from grammars import load_grammar
from search.executors import ProcessPool, Workload
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Loop
from search.settings import Settings
from search.strategies import STRATEGIES

VARIANTS: Final[dict[str, dict[str, Any]]] = {
    **{name: {"strategy": name} for name in STRATEGIES},
    "islands": {"strategy": "genetic", "islands": 2, "migration_interval": 1},
    "layers": {"strategy": "genetic", "layers": "each"},
    "template": {"strategy": "genetic", "template": "x * _", "require": {"bounded_below": True}},
    "two tasks": {"strategy": "genetic"},
}
TASKS: Final = ("digits-mlp", "mnist1d-mlp")
WATCHED: Final = "breast-cancer-mlp"


def settings(variant: str) -> Settings:
    search = VARIANTS[variant]
    document: dict[str, Any] = {
        "name": "one-seed",
        "seed": 11,
        "task": "digits-mlp",
        "search": {"population": 8, "offspring": 4, **search},
        "scoring": {"rungs": [{"steps": 4}, {"steps": 8, "seeds": 2}], "reduction_factor": 3.0},
        "stop": {"generations": 3},
    }
    if variant == "two tasks":
        document["scoring"] |= {"tasks": TASKS, "learning_rates": [0.002, 0.004]}
        document["watch"] = {"tasks": [WATCHED], "every": 1, "steps": 4}
    return Settings.model_validate(document)


def told(journal: Journal) -> list[Any]:
    """Every event, without the seconds that it took."""
    return [
        (event.kind, event.key, {k: v for k, v in event.payload.items() if k != "seconds"})
        for event in journal.events()
    ]


def main(folder: Path, *, workers: int) -> None:
    first, *others = map(find_task, (*TASKS, WATCHED))
    workload = Workload(first, others=tuple(others))
    with ProcessPool(workload, workers=workers, batch=4, timeout_seconds=60.0) as executor:
        for name in VARIANTS:
            is_single = name != "two tasks"
            (folder / name).mkdir(parents=True)
            with Journal(folder / name / FILE_NAME) as journal:
                Loop(
                    settings(name),
                    grammar=load_grammar("core"),
                    bench=workload.bench,
                    further=() if is_single else workload.benches[1:2],
                    watched=() if is_single else workload.benches[2:],
                    hidden_layers=2,
                    journal=journal,
                    executor=executor,
                ).run()
                text = json.dumps(told(journal), indent=1)
            (folder / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), workers=int(sys.argv[2]))
