"""Does a function of its own for each layer pay? Against one for all layers, at equal budget."""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from grammars import canonical_form, load_grammar

from .strategies import FRESH_SEEDS, STEPS, TASK, Run, score_on, search, summary

OUTPUT: Final = Path("runs/layers.json")
STRATEGY: Final = "genetic"
BUDGET: Final = 300
SEEDS: Final = 10
COMPARED: Final = ("shared", "each")
# Chance of one in ten classes, for a winner that diverges under another seed.
_NOTHING_LEARNT: Final = -math.log(math.log(10))


def run_seed(seed: int, *, budget: int) -> list[Run]:
    """Both searches from one seed; `Run.strategy` names the setting of `layers`."""
    grammar, score = load_grammar("core"), score_on(TASK, steps=STEPS)
    runs = []
    for layers in COMPARED:
        curve, winner = search(
            STRATEGY, seed=seed, budget=budget, grammar=grammar, score=score, layers=layers
        )
        scores = [score(winner, seed=fresh) for fresh in FRESH_SEEDS]
        fresh = float(np.mean([_NOTHING_LEARNT if each is None else each for each in scores]))
        runs.append(Run(layers, seed, curve, str(canonical_form(winner)), fresh))
        print(f"seed {seed} {layers}: {curve[-1]:.4f} fresh {fresh:.4f} {runs[-1].winner}")
    return runs


def rows(runs: list[Run], *, budget: int) -> list[dict[str, Any]]:
    """One row a setting: medians with 95 % intervals, and in how many seeds it is ahead."""
    shared = {run.seed: run for run in runs if run.strategy == "shared"}
    table = []
    for layers in COMPARED:
        own = [run for run in runs if run.strategy == layers]
        ends = [at for at in (100, 300, 1000) if at <= budget]
        table.append(
            {
                "layers": layers,
                "seeds": len(own),
                "best_score": {at: summary([run.curve[at - 1] for run in own]) for at in ends},
                "wins_over_shared": {
                    at: sum(run.curve[at - 1] > shared[run.seed].curve[at - 1] for run in own)
                    for at in ends
                },
                "fresh_score": summary([run.fresh_score for run in own]),
                "fresh_difference": summary(
                    [run.fresh_score - shared[run.seed].fresh_score for run in own]
                ),
                "fresh_wins_over_shared": sum(
                    run.fresh_score > shared[run.seed].fresh_score for run in own
                ),
            }
        )
    return table


def main() -> None:
    """Runs the comparison and writes `runs/layers.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    work = partial(run_seed, budget=arguments.budget)
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        runs = [run for group in pool.imap(work, range(arguments.seeds)) for run in group]
    # Every tenth point of a curve is enough to draw it.
    document = {
        "task": f"{TASK}, tabulated, {STEPS} steps",
        "grammar": "core",
        "strategy": STRATEGY,
        "rows": rows(runs, budget=arguments.budget),
        "runs": [asdict(replace(run, curve=run.curve[9::10])) for run in runs],
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(json.dumps(document["rows"], indent=1))


if __name__ == "__main__":
    main()
