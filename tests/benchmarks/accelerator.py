"""Candidates scored a minute where JAX finds an accelerator, beside what users would write.

`python -m tests.benchmarks.accelerator --output FILE` measures it; the same with `--alone 0
--peer-candidates 0`, after `JAX_PLATFORMS=cpu`, adds the processor of that machine.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from scipy.stats import spearmanr

from .scoring import candidates, evaluate, pool
from .scoring_peers import jax_loop, pytorch_loop, seconds_a_candidate

STEPS = (400, 1600)


@dataclass(frozen=True)
class Report:
    """What was measured where JAX runs.

    Attributes:
        seconds_a_candidate: By what brought it to a verdict.
        came_to: What each of our candidates came to, by steps.
    """

    seconds_a_candidate: dict[str, float]
    came_to: dict[str, list[Any]]


def ours(count: int, *, steps: int, workers: int, batch: int) -> tuple[float, list[Any]]:
    """Wall seconds a candidate, and what each came to."""
    expressions = candidates(count)
    with pool(workers, batch) as executor:
        begun = time.perf_counter()
        evaluations = evaluate(executor, expressions, steps=steps)
        seconds = (time.perf_counter() - begun) / count
    reasons = {str(e.reason) for e in evaluations if e.outcome == "failed"}
    assert not reasons, reasons
    return seconds, [[asdict(result) for result in e.per_seed] for e in evaluations]


def measure(arguments: argparse.Namespace) -> Report:
    """Seconds a candidate by what brings it to a verdict, and what our candidates came to."""
    cores, batch = len(os.sched_getaffinity(0)), arguments.batch
    report = Report({}, {})

    def note(name: str, seconds: float) -> None:
        report.seconds_a_candidate[name] = seconds
        print(f"{name:46} {60 / seconds:9.1f} a minute", flush=True)

    for steps in STEPS if arguments.candidates else ():
        seconds, came_to = ours(arguments.candidates, steps=steps, workers=cores, batch=batch)
        note(f"ours, {cores} worker(s), {steps} steps", seconds)
        report.came_to[str(steps)] = came_to
        if arguments.alone:
            seconds, alone = ours(arguments.alone, steps=steps, workers=1, batch=batch)
            note(f"ours, 1 worker(s), {steps} steps", seconds)
            equal = sum(one == other for one, other in zip(alone, came_to, strict=False))
            print(f"  {equal} of {arguments.alone} equal to the bit with {cores} workers")
    peers = {"JAX loop": jax_loop, "PyTorch eager": pytorch_loop}
    for steps, name in product(STEPS, peers if arguments.peer_candidates else ()):
        for processes, count in ((1, arguments.peer_candidates), (cores, cores)):
            texts = [str(expression) for expression in candidates(count)]
            seconds = seconds_a_candidate(peers[name], texts, steps=steps, processes=processes)
            note(f"{name}, {processes} process(es), {steps} steps", seconds)
    return report


def agreement(one: list[Any], other: list[Any]) -> float:
    """Rank correlation of the validation losses of those that both scored."""
    both = [(a[0], b[0]) for a, b in zip(one, other, strict=False) if a and b]
    losses = [[run["validation_loss"] for run in runs] for runs in zip(*both, strict=True)]
    return float(spearmanr(*losses).statistic)


def main() -> None:
    """Measures where JAX runs now, and adds it to the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=1024, help="0 leaves ours out")
    parser.add_argument("--alone", type=int, default=64, help="candidates of one worker alone")
    parser.add_argument("--peer-candidates", type=int, default=6, help="0 leaves the peers out")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--output", type=Path, default=Path("runs/accelerator.json"))
    arguments = parser.parse_args()
    output = arguments.output
    report = json.loads(output.read_text(encoding="utf-8")) if output.is_file() else {}
    measured = measure(arguments)
    ours_here = report.setdefault(os.environ.get("JAX_PLATFORMS", "accelerator"), {})
    for name, figures in asdict(measured).items():
        ours_here.setdefault(name, {}).update(figures)
    for steps, came_to in measured.came_to.items():
        for platform, other in report.items():
            if other is not ours_here:
                print(f"rank correlation with {platform} at {steps} steps:", end=" ")
                print(f"{agreement(came_to, other['came_to'][steps]):.4f}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
