"""How many steps functions need for sums modulo primes that no search saw, and errors beyond data.

    python -m tests.benchmarks.beyond_relu mod29.toml mod37.toml --functions relu "cos(x)"

Every run ends in a decay. A function's learning rate is the best on validation data for each task
and number of steps, with seeds of their own, out of rates a factor of two apart. Then fresh seeds
are scored on test data. Classes: a function goes through longer and longer runs, from 800 steps on
until the tuning seeds have all validation pairs right twice in a row; it needs the steps of the
first run from which on mean test accuracies are at least 95 %, and for its best those of the first
within a point of its best mean. Numbers: the losses are what counts.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import Task, find_task
from grammars import Expression, parse
from search.executors import Executor
from search.executors.site import Site

from .fairness import working

OUTPUT: Final = Path("runs/beyond_relu.json")
STEPS: Final = (50, 70, 100, 140, 200, 280, 400, 560, 800, 1600, 3200, 6400, 12800)
STEPS_OF_NUMBERS: Final = (600, 2400)
# Longer runs keep the rate of these.
LONGEST_TUNED: Final = 3200
RATES: Final = tuple(0.000_5 * 2**power for power in range(11))
TUNING_SEEDS: Final = (900, 901)
SEEDS: Final = tuple(range(910, 915))
SEEDS_OF_NUMBERS: Final = tuple(range(910, 920))
ENOUGH: Final = 0.95
NEARLY: Final = 0.01
ALL: Final = 0.999
LEAST: Final = 800


@dataclass(frozen=True)
class Length:
    """What runs of one length came to.

    Attributes:
        steps: Of each.
        rate: The function's own learning rate there.
        validation: Mean accuracy of the tuning seeds.
        accuracies: On test data, by seed.
        losses: The same.
    """

    steps: int
    rate: float
    validation: float
    accuracies: list[float]
    losses: list[float]


def main() -> None:
    """Measures every function on every task, and writes each as soon as it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="+", help="names or files")
    parser.add_argument("--functions", nargs="+", default=["relu", "cos(x)"])
    parser.add_argument("--steps", nargs="+", type=int, help="of the runs, ascending")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    told = parser.parse_args()
    for name in told.tasks:
        task = find_task(name)
        for text in told.functions:
            lengths = measure(task, parse(text), told.steps)
            known = json.loads(told.output.read_text()) if told.output.exists() else {}
            known.setdefault(task.name, {})[text] = [asdict(each) for each in lengths]
            told.output.parent.mkdir(parents=True, exist_ok=True)
            told.output.write_text(json.dumps(known, indent=1) + "\n")
            print(f"{task.name:20} {text:40} {said(lengths)}", flush=True)


def measure(task: Task, function: Expression, lengths: Sequence[int] | None = None) -> list[Length]:
    """What a function comes to in longer and longer runs."""
    is_numbers = task.recipe.loss == "squared_error"
    lengths = lengths or (STEPS_OF_NUMBERS if is_numbers else STEPS)
    every = RATES if is_numbers else RATES[3:]
    tuned: list[tuple[int, float, float]] = []
    with working(Site(workers=1), task) as executor:
        trained = _Trained(executor)
        for steps in lengths:
            # More than one rate may be better than its neighbours.
            rates = every if steps <= LONGEST_TUNED or not tuned else (tuned[-1][1],)
            tried = {rate: trained(function, Fidelity(steps, TUNING_SEEDS, rate)) for rate in rates}
            rate = min(tried, key=lambda rate: np.log(tried[rate][0]).mean())
            tuned.append((steps, rate, float(tried[rate][1].mean())))
            if tuned[1:] and steps >= LEAST and min(share for _, _, share in tuned[-2:]) >= ALL:
                break
    seeds = SEEDS_OF_NUMBERS if is_numbers else SEEDS
    found = []
    with working(Site(workers=1), task, split="test") as executor:
        trained = _Trained(executor)
        for steps, rate, validation in tuned:
            losses, accuracies = trained(function, Fidelity(steps, seeds, rate))
            found.append(Length(steps, rate, validation, accuracies.tolist(), losses.tolist()))
    return found


def said(lengths: Sequence[Length]) -> str:
    """What is told of a function."""
    if len(lengths[0].losses) == len(SEEDS_OF_NUMBERS):
        return "loss " + ", ".join(
            f"{np.exp(np.mean(np.log(each.losses))):.3g} after {each.steps}" for each in lengths
        )
    means = [float(np.mean(each.accuracies)) for each in lengths]
    enough = [each.steps for number, each in enumerate(lengths) if min(means[number:]) >= ENOUGH]
    best = next(
        each.steps for each, mean in zip(lengths, means, strict=True) if mean >= max(means) - NEARLY
    )
    return f"95 % after {enough[0] if enough else 'no'} steps, best {max(means):.1%} after {best}"


class _Trained:
    """Losses and accuracies of a function, by seed; infinite and 0 where training diverged."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def __call__(self, function: Expression, fidelity: Fidelity) -> tuple[np.ndarray, np.ndarray]:
        batches = self._executor.evaluate([function], fidelity, stopping=threading.Event())
        (evaluation,) = [each for batch in batches for each in batch]
        runs = evaluation.per_seed
        if not runs:
            return np.full(len(fidelity.seeds), np.inf), np.zeros(len(fidelity.seeds))
        return (
            np.array([run.validation_loss for run in runs]),
            np.array([run.validation_accuracy for run in runs]),
        )


if __name__ == "__main__":
    main()
