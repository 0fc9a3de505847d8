"""After how many evaluations a search over `core` meets Swish, GELU or Mish again."""

from __future__ import annotations

import argparse
import json
import multiprocessing
from functools import partial
from pathlib import Path
from typing import Any, Final

from grammars import Expression, FunctionIndex, load_grammar, parse

from .strategies import COMPARED, SETTINGS, digits_score, search

OUTPUT: Final = Path("runs/rediscovery.json")
FAMOUS: Final = ("swish", "gelu", "mish")
BUDGET: Final = 1000
SEEDS: Final = 10


class _Found(Exception):  # noqa: N818 - ends a search, is no error
    """Carries the function and the number of the evaluation that met it."""


def rediscovery(seed: int, *, strategy: str, budget: int) -> dict[str, Any]:
    """Searches until one of the famous functions is evaluated; none of them is given."""
    famous = FunctionIndex()
    for name in FAMOUS:
        famous.add(name, parse(name))
    evaluations = 0

    def score(expression: Expression) -> float | None:
        nonlocal evaluations
        evaluations += 1
        if (name := famous.find(expression)) is not None:
            raise _Found(name)
        return digits_score(expression)

    row: dict[str, Any] = {"strategy": strategy, "seed": seed}
    try:
        search(
            strategy,
            seed=seed,
            budget=budget,
            grammar=load_grammar("core"),
            score=score,
            **SETTINGS.get(strategy, {}),
        )
    except _Found as found:
        return row | {"function": str(found), "evaluations": evaluations}
    return row | {"function": None, "evaluations": evaluations}


def main() -> None:
    """Runs every seed and writes `runs/rediscovery.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategies", nargs="+", default=COMPARED)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    rows = []
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for strategy in arguments.strategies:
            work = partial(rediscovery, strategy=strategy, budget=BUDGET)
            found = pool.map(work, range(SEEDS), chunksize=1)
            hits = [row["evaluations"] for row in found if row["function"]]
            print(f"{strategy}: in {len(hits)} of {SEEDS} seeds, after {sorted(hits)} evaluations")
            rows += found
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps({"grammar": "core", "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
