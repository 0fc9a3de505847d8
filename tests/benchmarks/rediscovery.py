"""Whether a search over `core` meets Swish, GELU or Mish, or what finals cannot tell from them."""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from evaluators.statistics.comparison import Comparison, Finding, compare
from grammars import Expression, FunctionIndex, canonical, load_grammar, parse

from .strategies import STEPS, TASK, Score, score_on, search

OUTPUT: Final = Path("runs/rediscovery.json")
FAMOUS: Final = ("swish", "gelu", "mish")
STRATEGIES: Final = ("genetic", "regularized_evolution", "surrogate")
BUDGET: Final = 1000
SEEDS: Final = 10

# Fresh seeds of the finals, and how many functions near each famous one are sent there.
FINALS: Final = tuple(range(2000, 2030))
SENT: Final = 5


@dataclass
class _Watched:
    """Scores for a search, and remembers what it met.

    Attributes:
        met: The first famous function, and the number of the evaluation.
        scores: Of every function that was evaluated.
    """

    score: Score
    famous: FunctionIndex
    evaluations: int = 0
    met: tuple[str, int] | None = None
    scores: dict[Expression, float] = field(default_factory=dict)

    def __call__(self, expression: Expression) -> float | None:
        self.evaluations += 1
        name = self.famous.find(expression)
        if name is not None and self.met is None:
            self.met = (name, self.evaluations)
        if (achieved := self.score(expression)) is not None:
            self.scores[expression] = achieved
        return achieved


def rediscovery(seed: int, *, strategy: str, budget: int) -> dict[str, Any]:
    """Searches, then compares what is nearest to each famous function with it on fresh seeds.

    Nothing famous is given to the search. What it meets is any function that it evaluates.
    """
    famous, score = FunctionIndex(), score_on(TASK, steps=STEPS)
    for name in FAMOUS:
        famous.add(name, parse(name))
    watched = _Watched(score, famous)
    _, leader = search(
        strategy, seed=seed, budget=budget, grammar=load_grammar("core"), score=watched
    )
    met, evaluations = watched.met or (None, None)
    return {
        "strategy": strategy,
        "seed": seed,
        "met": met,
        "met_after": evaluations,
        "stand_in": _described(_stand_in(watched.scores, score)),
        "leader": str(canonical(leader)),
        "leader_against": [_described(each) for each in _finals([leader], FAMOUS, score)],
    }


def _stand_in(scores: dict[Expression, float], score: Score) -> Comparison | None:
    """Of the functions sent to finals, the one nearest to a famous one that it equals there."""
    equal = []
    for name in FAMOUS:
        aim = score(parse(name))
        assert aim is not None
        nearest = sorted(scores, key=lambda f: (abs(scores[f] - aim), str(f)))[:SENT]
        found = _finals(nearest, [name], score)
        equal += [each for each in found if each.finding is Finding.INDISTINGUISHABLE]
    return min(equal, key=lambda each: abs(each.difference or 0.0), default=None)


def _finals(functions: list[Expression], rivals: Any, score: Score) -> list[Comparison]:
    names = {str(canonical(function)): function for function in functions}
    values = {
        name: [_fresh(score, function, seed) for seed in FINALS]
        for name, function in (names | {rival: parse(rival) for rival in rivals}).items()
    }
    return [each for each in compare(values, rivals=rivals) if each.function in names]


def _fresh(score: Score, function: Expression, seed: int) -> float:
    achieved = score(function, seed=seed)
    return math.nan if achieved is None else achieved


def _described(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {
        "function": comparison.function,
        "rival": comparison.rival,
        "difference": comparison.difference,
        "interval": [comparison.low, comparison.high],
        "p_adjusted": comparison.p_adjusted,
        "finding": str(comparison.finding),
    }


def _print(strategy: str, rows: list[dict[str, Any]]) -> None:
    met = sorted(row["met_after"] for row in rows if row["met"])
    either = sum(row["met"] is not None or row["stand_in"] is not None for row in rows)
    better = sum(all(c["finding"] == "better" for c in row["leader_against"]) for row in rows)
    print(
        f"{strategy}: met in {len(met)} of {len(rows)} seeds, after {met} evaluations; met, or "
        f"something that finals cannot tell from one, in {either}; a leader that finals call "
        f"better than all three in {better}"
    )


def main() -> None:
    """Runs every seed and writes `runs/rediscovery.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategies", nargs="+", default=STRATEGIES)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    rows = []
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        for strategy in arguments.strategies:
            work = partial(rediscovery, strategy=strategy, budget=arguments.budget)
            found = pool.map(work, range(arguments.seeds), chunksize=1)
            _print(strategy, found)
            rows += found
    document = {"task": TASK, "steps": STEPS, "grammar": "core", "finals": len(FINALS)}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(document | {"rows": rows}, indent=1))


if __name__ == "__main__":
    main()
