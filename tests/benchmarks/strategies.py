"""Each strategy against random sampling at equal budget: best score by evaluations spent."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import multiprocessing
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any, Final, Protocol

import numpy as np

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.probing.probes import probe
from evaluators.tasks import find_task
from grammars import (
    Activation,
    Expression,
    FunctionIndex,
    Grammar,
    canonical_form,
    load_grammar,
)
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.settings import SearchSettings
from search.strategies import STRATEGIES, begin

from .tabulated import Tabulated

OUTPUT: Final = Path("runs/strategies.json")
COMPARED: Final = ("random", "genetic", "regularized_evolution", "nsga2", "surrogate")
# What `actsearch calibrate` finds most reliable among the tasks that need no network.
TASK: Final = "mnist1d-mlp"
STEPS: Final = 100
BUDGET: Final = 300
SEEDS: Final = 10

# The search meets one seed, as on a campaign's first rung; its best is judged on others.
SEARCH_SEED: Final = 0
FRESH_SEEDS: Final = tuple(range(1000, 1008))


# Of a network that has learnt nothing of ten classes, or whose training diverged.
GUESSING: Final = -math.log(math.log(10.0))

OneScore = Callable[[Activation], float | None]
"""Scores a function; None if its training diverges."""


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        strategy: Its name.
        seed: Of the search.
        curve: Best score after each evaluation; minus the logarithm of the validation loss.
        winner: The best function, in canonical form.
        fresh_score: Of the winner, mean over seeds that no search has met.
    """

    strategy: str
    seed: int
    curve: list[float]
    winner: str
    fresh_score: float


def search(
    strategy: str, *, seed: int, budget: int, grammar: Grammar, score: OneScore, **settings: Any
) -> tuple[list[float], Activation]:
    """Asks and tells until so many candidates have been trained, as a campaign does.

    Settings that are not given have the defaults of a campaign file.

    Returns:
        The best score after each evaluation, and the function that has it.
    """
    chosen = SearchSettings.model_validate({"strategy": strategy, **settings})
    layers = find_task(TASK).network.hidden_layers
    searching = begin(grammar, chosen, seed=seed, hidden_layers=layers)
    admit = partial(_admit, defaultdict(FunctionIndex))
    best, asked = (-math.inf, ""), itertools.count()
    curve: list[float] = []
    functions: dict[str, Activation] = {}
    ahead: deque[list[Candidate]] = deque()
    while len(curve) < budget:
        while len(ahead) <= chosen.generations_ahead:
            count = chosen.generation_size
            ahead.append(searching.ask(count, generation=next(asked), admit=admit))
        candidates = ahead.popleft()
        if not candidates:
            break
        standings = []
        for candidate in [c for c in candidates if probe(c.expression) is None]:
            achieved = score(candidate.expression)
            if achieved is not None:
                standings.append(Standing(candidate, 0, _evaluation(candidate, achieved)))
                functions[candidate.id] = candidate.expression
                best = max(best, (achieved, candidate.id))
            curve.append(best[0])
        searching.tell(standings)
    return curve[:budget], functions[best[1]]


def _admit(known: dict[int, FunctionIndex], expression: Expression, *, place: int = 0) -> bool:
    return known[place].find_or_add(key := f"{len(known[place])}", expression) == key


def _evaluation(candidate: Candidate, score: float) -> Evaluation:
    result = SeedResult(SEARCH_SEED, math.exp(-score), 0.0)
    return Evaluation(
        candidate_id=candidate.id,
        expression=str(candidate.expression),
        canonical=str(candidate.canonical),
        task=TASK,
        dataset="none",
        fidelity=Fidelity(STEPS, (SEARCH_SEED,)),
        outcome=Outcome.SCORED,
        per_seed=(result,),
    )


class Score(Protocol):
    """Scores a function by one training run, None if that diverges."""

    def __call__(self, activation: Activation, *, seed: int = SEARCH_SEED) -> float | None: ...


@cache
def score_on(task: str, *, steps: int) -> Score:
    """Minus the logarithm of the validation loss after so many steps; one instance a process."""
    training = Tabulated(task, steps=steps)

    def score(activation: Activation, *, seed: int = SEARCH_SEED) -> float | None:
        loss = training.loss(activation, seed=seed)
        return None if loss is None else -math.log(loss)

    return score


def run_seed(seed: int, *, strategies: Sequence[str], budget: int) -> list[Run]:
    """Runs every strategy from one seed; they share what each function came to."""
    grammar, score = load_grammar("core"), score_on(TASK, steps=STEPS)
    runs = []
    for strategy in strategies:
        curve, winner = search(
            strategy,
            seed=seed,
            budget=budget,
            grammar=grammar,
            score=score,
        )
        scores = [score(winner, seed=fresh) for fresh in FRESH_SEEDS]
        # A winner that diverges under another seed counts as one that has learnt nothing.
        fresh = float(np.mean([GUESSING if s is None else s for s in scores]))
        runs.append(Run(strategy, seed, curve, str(canonical_form(winner)), fresh))
        print(f"seed {seed} {strategy}: {curve[-1]:.4f} fresh {fresh:.4f} {runs[-1].winner}")
    return runs


def rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One row a strategy: medians with 95 % intervals by evaluations, and wins over random."""
    by_strategy: dict[str, dict[int, Run]] = {}
    for run in runs:
        by_strategy.setdefault(run.strategy, {})[run.seed] = run
    random = by_strategy["random"]
    return [
        {
            "strategy": strategy,
            "seeds": len(own),
            "evaluations": (budget := min(len(run.curve) for run in own.values())),
            "best_score": {
                at: summary([run.curve[at - 1] for run in own.values()])
                for at in range(50, budget + 1, 50)
            },
            "fresh_score": summary([run.fresh_score for run in own.values()]),
            "wins_over_random": sum(r.curve[-1] > random[s].curve[-1] for s, r in own.items()),
            "fresh_wins_over_random": sum(
                r.fresh_score > random[s].fresh_score for s, r in own.items()
            ),
        }
        for strategy, own in by_strategy.items()
    ]


def summary(values: Sequence[float]) -> dict[str, float]:
    """The median and a bootstrap interval for it."""
    generator = np.random.default_rng(0)
    drawn = generator.choice(values, (10_000, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
    return {"median": median(values), "low": float(low), "high": float(high)}


def _print(table: Iterable[dict[str, Any]]) -> None:
    for row in table:
        cells = [
            f"{at:>4}: {s['median']:.3f} [{s['low']:.3f}, {s['high']:.3f}]"
            for at, s in row["best_score"].items()
        ]
        print(
            f"{row['strategy']:<22} {'  '.join(cells)}\n"
            f"{'':<22} above random in {row['wins_over_random']} of {row['seeds']}, "
            f"on fresh seeds in {row['fresh_wins_over_random']}"
        )


def main() -> None:
    """Runs the comparison and writes `runs/strategies.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--strategies", nargs="+", default=COMPARED, choices=list(STRATEGIES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    work = partial(run_seed, strategies=arguments.strategies, budget=arguments.budget)
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        runs = [run for group in pool.imap(work, seeds) for run in group]
    table = rows(runs)
    document = {"task": f"{TASK}, tabulated, {STEPS} steps", "grammar": "core", "rows": table}
    # Every tenth point of a curve is enough to draw it.
    document["runs"] = [asdict(run) | {"curve": run.curve[9::10]} for run in runs]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(document, indent=1), encoding="utf-8")
    _print(table)


if __name__ == "__main__":
    main()
