"""Campaigns in miniature: a strategy, a cheap score, no journal; prints what it asked for."""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

import numpy as np

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from grammars import Expression, FunctionIndex, evaluate, functions_of, load_grammar, parse
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.loop.considered import Considered
from search.settings import SearchSettings
from search.strategies import Admit, begin

_POINTS = np.linspace(-4.0, 4.0, 81)
# No small expression comes near, so that chance does not either.
_TARGET = evaluate(parse("x * tanh(softplus(x)) + 0.7 * sin(2 * x) - 0.4"), _POINTS)


def distance(expression: Expression) -> float:
    """Mean distance to a function: what the search is to make small."""
    with np.errstate(all="ignore"):
        return float(np.mean(np.abs(evaluate(expression, _POINTS) - _TARGET)))


def standing(candidate: Candidate, *, rung: int = 0, loss: float | None = None) -> Standing | None:
    """The candidate with its score, None if it has no finite one."""
    if loss is None:
        loss = 0.01 + fmean(distance(function) for function in functions_of(candidate.expression))
    if not math.isfinite(loss):
        return None
    record = Evaluation(
        candidate_id=candidate.id,
        expression=str(candidate.expression),
        canonical=str(candidate.canonical),
        task="digits-mlp",
        dataset="digits",
        fidelity=Fidelity(1, (0,)),
        outcome=Outcome.SCORED,
        per_seed=(SeedResult(0, loss, 0.5),),
    )
    return Standing(candidate, rung, record)


def admitting(known: FunctionIndex) -> Callable[[Expression], bool]:
    """Admits every function once."""

    def admit(expression: Expression) -> bool:
        key = str(len(known))
        return known.find_or_add(key, expression) == key

    return admit


def admitting_by_layer() -> Admit:
    """Admits every function once in each layer, as a campaign does."""
    considered: defaultdict[int, Considered] = defaultdict(Considered)

    def admit(expression: Expression, /, *, layer: int = 0) -> bool:
        return considered[layer].add(expression)

    return admit


def generations(
    strategy: str,
    *,
    seed: int = 1,
    grammar: str = "core",
    count: int = 6,
    population: int = 24,
    offspring: int = 12,
    arriving: Callable[[list[Standing]], Iterable[Standing]] = iter,
    **settings: Any,
) -> list[list[Candidate]]:
    """Runs a strategy; `arriving` reorders the results of a generation."""
    chosen = SearchSettings.model_validate(
        {
            "strategy": strategy,
            "population": population,
            "offspring": offspring,
            "brood": 300,
            **settings,
        }
    )
    searching = begin(load_grammar(grammar), chosen, seed=seed, hidden_layers=3)
    admit = admitting_by_layer()
    asked = []
    for generation in range(count):
        candidates = searching.ask(offspring, generation=generation, admit=admit)
        asked.append(candidates)
        searching.tell(arriving([s for c in candidates if (s := standing(c)) is not None]))
    return asked


def texts(asked: Iterable[Iterable[Candidate]]) -> list[str]:
    """What was asked for, with its lineage."""
    return [f"{c.expression} <- {c.variation} {c.parents}" for group in asked for c in group]


if __name__ == "__main__":
    print("\n".join(texts(generations(sys.argv[1], **json.loads(sys.argv[2])))))
