"""How far each strategy stays behind the best of all functions, where all of them are known."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from evaluators.probing.probes import probe
from grammars import canonical, load_grammar
from grammars.space.enumeration import enumerate_functions

from .strategies import COMPARED, STEPS, TASK, score_on, search, summary

OUTPUT: Final = Path("runs/regret.json")
BUDGET: Final = 200
SEEDS: Final = 10
SHOWN: Final = 10


def truth(*, max_size: int) -> list[tuple[float, str]]:
    """Every function of the grammar `tiny` that can be trained, best first, with its score."""
    grammar, score_of = load_grammar("tiny"), score_on(TASK, steps=STEPS)
    ranking = []
    for expression in enumerate_functions(grammar, max_size=max_size):
        score = None if probe(expression) else score_of(expression)
        if score is not None:
            ranking.append((score, str(canonical(expression))))
    return sorted(ranking, reverse=True)


def rows(ranking: list[tuple[float, str]]) -> list[dict[str, Any]]:
    """One row a strategy: best of all minus best found, and how many functions are better."""
    grammar = load_grammar("tiny")
    scores = [score for score, _ in ranking]
    table = []
    for strategy in COMPARED:
        curves = [
            search(
                strategy,
                seed=seed,
                budget=BUDGET,
                grammar=grammar,
                score=score_on(TASK, steps=STEPS),
            )[0]
            for seed in range(SEEDS)
        ]
        ends = [curve[-1] for curve in curves]
        table.append(
            {
                "strategy": strategy,
                "evaluations": BUDGET,
                "functions": len(scores),
                "regret": summary([scores[0] - end for end in ends]),
                "better_functions": summary(
                    [float(sum(score > end for score in scores)) for end in ends]
                ),
            }
        )
    return table


def main() -> None:
    """Ranks all of `tiny`, then measures; writes `runs/regret.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-size", type=int, default=7)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    ranking = truth(max_size=arguments.max_size)
    table = rows(ranking)
    document = {"grammar": "tiny", "best": ranking[:SHOWN], "rows": table}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(document, indent=1), encoding="utf-8")
    for row in table:
        regret, better = row["regret"], row["better_functions"]
        print(
            f"{row['strategy']:<22} regret {regret['median']:.3f} "
            f"[{regret['low']:.3f}, {regret['high']:.3f}], {better['median']:.0f} of "
            f"{row['functions']} functions are better"
        )


if __name__ == "__main__":
    main()
