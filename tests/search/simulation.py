"""An executor that computes scores from the function itself, so that loops run in milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import Activation, evaluate, functions_of, parse
from search.executors import Interrupted, Stopping

from .ownerless import Ownerless

BENCH = Bench("digits-mlp", "digits")
_POINTS = np.linspace(-4.0, 4.0, 81)
_TARGET = evaluate(parse("swish"), _POINTS)


@dataclass
class Simulation(Ownerless):
    """Scores by distance to Swish; training longer lowers every loss by the same factor.

    Of functions for the layers of a network half the mean distance counts, so that they win.

    Attributes:
        batch: Evaluations that are delivered together.
        diverging: Functions whose training diverges.
        stop_after: Sets `wish` after so many evaluations, as a signal would.
        wish: The user's, to stop.
        done: Expression and steps of everything evaluated, in order.
    """

    batch: int = 4
    diverging: frozenset[str] = frozenset()
    stop_after: int | None = None
    wish: threading.Event = field(default_factory=threading.Event)
    done: list[tuple[str, int]] = field(default_factory=list)

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        for first in range(0, len(expressions), self.batch):
            if stopping.is_set():
                raise Interrupted
            group = expressions[first : first + self.batch]
            self.done.extend((str(expression), fidelity.steps) for expression in group)
            yield [self.evaluation(expression, fidelity) for expression in group]
            if self.stop_after is not None and len(self.done) >= self.stop_after:
                self.wish.set()

    def score(self, expression: Activation, fidelity: Fidelity) -> float:
        """What a function scores."""
        score = self.evaluation(expression, fidelity).score
        assert score is not None
        return score

    def evaluation(self, expression: Activation, fidelity: Fidelity) -> Evaluation:
        """What becomes of a function."""
        if str(expression) in self.diverging:
            return BENCH.record(expression, fidelity, Outcome.DIVERGED, reason="simulated")
        values = [evaluate(function, _POINTS) for function in functions_of(expression)]
        distance = float(np.mean(np.abs(np.array(values) - _TARGET))) / min(2, len(values))
        loss = (0.01 + min(distance, 10.0)) / fidelity.steps
        results = tuple(SeedResult(seed, loss, 1.0 / (1.0 + loss)) for seed in fidelity.seeds)
        return BENCH.record(expression, fidelity, Outcome.SCORED, per_seed=results)
