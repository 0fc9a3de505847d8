"""Finals over simulated training: a seed's luck is shared by all, the rest is each function's."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from evaluators.datasets import load
from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from evaluators.tasks import find_task
from grammars import BASELINES, Expression, parse
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.executors import Interrupted
from search.finals import Plan, Split, Stage, plan_finals
from search.journal.journal import FILE_NAME, Journal
from search.settings import FinalsSettings

LUCK_POINTS = 0.2
"""Standard deviation of what a seed does to all functions alike."""

BASE_PERCENT = 97.0


@dataclass
class SimulatedTraining:
    """Accuracies as on MNIST: base + the function's merit + the seed's luck + noise of the run.

    Attributes:
        merits: In points, by expression; 0 where none is given.
        noise_points: Standard deviation of a run beyond the seed's luck; 0.15 to 0.3 on MNIST.
        shared: Correlation of that on validation and on test data: a run that went well did so on
            both. Of differences it is 0.95 and more on some tasks and less than 0.2 on others.
        world: Another number draws other luck and noise.
        diverging: Expression and seed of the runs that diverge.
        failing: Expression and seed of the runs that fail.
        stop_after: Sets the event after so many evaluations, as a signal would.
        done: What was evaluated: split, task, expression, steps and seed.
    """

    merits: Mapping[str, float] = field(default_factory=dict)
    noise_points: float = 0.2
    shared: float = 0.9
    world: int = 0
    diverging: frozenset[tuple[str, int]] = frozenset()
    failing: frozenset[tuple[str, int]] = frozenset()
    stop_after: int | None = None
    done: list[tuple[str, str, str, int, int]] = field(default_factory=list)

    def open(self, stage: Stage, split: Split) -> SimulatedWorkers:
        """Workers for a stage, as `hold` asks for them."""
        return self.workers(Bench(stage.task, stage.dataset), split)

    def workers(self, bench: Bench, split: Split) -> SimulatedWorkers:
        """Workers that train on a task and score on a split."""
        return SimulatedWorkers(self, bench, split)

    def evaluation(
        self, expression: Expression, fidelity: Fidelity, bench: Bench, split: Split
    ) -> Evaluation:
        (seed,) = fidelity.seeds
        text = str(expression)
        record = replace(unscored(expression, bench), fidelity=fidelity)
        if (text, seed) in self.diverging:
            return replace(record, outcome=Outcome.DIVERGED, reason="simulated")
        if (text, seed) in self.failing:
            return replace(record, outcome=Outcome.FAILED, reason="simulated")
        percent = BASE_PERCENT + self.merits.get(text, 0.0)
        percent += LUCK_POINTS * self.normal(bench.task, seed, split)
        percent += self.noise_points * self.luck(split, bench.task, seed, text)
        share = min(percent, 100.0) / 100.0
        result = SeedResult(seed, 3.0 * (1.0 - share) + 1e-3, share)
        return replace(record, per_seed=(result,))

    def luck(self, split: Split, *run: object) -> float:
        """What a run's luck, in parts shared by both splits, comes to on a split."""
        of_both, own = self.shared**0.5, (1.0 - self.shared) ** 0.5
        return of_both * self.normal(*run) + own * self.normal(split, *run)

    def normal(self, *parts: object) -> float:
        """A standard normal number that depends on nothing but the parts and the world."""
        text = repr((self.world, *parts)).encode()
        entropy = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        return float(np.random.default_rng(entropy).standard_normal())


@cache
def unscored(expression: Expression, bench: Bench) -> Evaluation:
    """A record to fill: canonical forms take longer than all the rest of a simulated run."""
    return bench.record(expression, Fidelity(1, (0,)), Outcome.SCORED)


@dataclass
class SimulatedWorkers:
    """An executor whose training is simulated."""

    training: SimulatedTraining
    bench: Bench
    split: Split

    def evaluate(
        self, expressions: Sequence[Expression], fidelity: Fidelity, *, stopping: threading.Event
    ) -> Iterator[list[Evaluation]]:
        bench = self.bench
        for expression in expressions:
            if stopping.is_set():
                raise Interrupted
            training = self.training
            place = self.split, bench.task, str(expression), fidelity.steps, fidelity.seeds[0]
            training.done.append(place)
            if training.stop_after is not None and len(training.done) >= training.stop_after:
                stopping.set()
            yield [training.evaluation(expression, fidelity, bench, self.split)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


TRIED = {"considered": 60, "distinct": 40, "rejected": 10, "trained": 30, "promoted": 5}


def standings_of(texts: Sequence[str]) -> list[Standing]:
    """Discovered functions in the order of a search, and the baselines after them."""
    fidelity = Fidelity(80, (0, 1))
    found = [Candidate.of(parse(text), generation=1) for text in texts]
    known = [
        Candidate.of(parse(name), generation=0, origin="baseline", variation=name)
        for name in BASELINES
    ]
    return [
        Standing(
            candidate,
            1,
            Bench("digits-mlp", "digits").record(
                candidate.expression,
                fidelity,
                Outcome.SCORED,
                per_seed=tuple(SeedResult(seed, 0.2 + 0.01 * place, 0.9) for seed in (0, 1)),
            ),
        )
        for place, candidate in enumerate([*found, *known])
    ]


def plan_of(texts: Sequence[str], *, number: int = 1, **settings: object) -> Plan:
    """A plan on the digits for these finalists."""
    wanted = FinalsSettings.model_validate({"top": len(texts), "steps": 80, **settings})
    return plan_finals(
        wanted,
        number=number,
        standings=standings_of(texts),
        task=find_task("digits-mlp"),
        dataset=load("digits"),
        steps=80,
        tried=TRIED,
        load=load,
    )


def journal_in(folder: Path) -> Journal:
    """An empty journal, or the one that is there."""
    folder.mkdir(exist_ok=True)
    return Journal(folder / FILE_NAME)
