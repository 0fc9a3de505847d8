"""Whether tabulated training ranks functions as the evaluator does: Spearman's correlation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any, Final

from scipy.stats import spearmanr

from evaluators.datasets import load
from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Evaluator
from evaluators.probing.probes import probe
from evaluators.tasks import find_task
from grammars import CATALOGUE, Expression, FunctionIndex, load_grammar, parse
from search.executors.executor import use_single_thread
from search.strategies.newcomers import newcomer

from .strategies import STEPS, TASK, score_on

OUTPUT: Final = Path("runs/agreement.json")
FUNCTIONS: Final = 60
SEED: Final = 0
BATCH: Final = 20


def functions(count: int) -> list[Expression]:
    """Half of them published, half drawn from `core`; none has trainable parameters."""
    published = [parse(name) for name in CATALOGUE]
    chosen = [f for f in published if not f.parameters and probe(f) is None][: count // 2]
    known, grammar, generator = FunctionIndex(), load_grammar("core"), Random(f"agreement/{SEED}")
    while len(chosen) < count:
        drawn = newcomer(grammar, generator, lambda f: known.find_or_add(str(f), f) == str(f))
        assert drawn is not None
        if probe(drawn) is None:
            chosen.append(drawn)
    return chosen


def rows(chosen: list[Expression], *, task: str, steps: int) -> list[dict[str, Any]]:
    """The score of each function by both ways; None where training diverges."""
    evaluator = Evaluator(find_task(task), load(find_task(task).data))
    score = score_on(task, steps=steps)
    table = []
    for first in range(0, len(chosen), BATCH):
        group = chosen[first : first + BATCH]
        records = evaluator.evaluate(group, Fidelity(steps, (SEED,)))
        table += [
            {
                "expression": str(expression),
                "evaluator": record.score if record.outcome is Outcome.SCORED else None,
                "tabulated": score(expression, seed=SEED),
            }
            for expression, record in zip(group, records, strict=True)
        ]
    return table


def main() -> None:
    """Trains every function both ways and writes `runs/agreement.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default=TASK)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--functions", type=int, default=FUNCTIONS)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    use_single_thread()
    table = rows(functions(arguments.functions), task=arguments.task, steps=arguments.steps)
    both = [
        (row["evaluator"], row["tabulated"])
        for row in table
        if row["evaluator"] is not None and row["tabulated"] is not None
    ]
    summary = {
        "task": arguments.task,
        "steps": arguments.steps,
        "functions": len(table),
        "scored_by_both": len(both),
        "diverged_in_one_only": sum(
            (row["evaluator"] is None) != (row["tabulated"] is None) for row in table
        ),
        "spearman": float(spearmanr(*zip(*both, strict=True)).statistic),
        "largest_difference": max(abs(a - b) for a, b in both),
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(summary | {"rows": table}, indent=1))
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
