"""Candidates brought to a verdict a minute: ours against what users would write, in one run."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.forecasting.learning_curves import load_curves
from evaluators.probing.probes import probe
from evaluators.tasks import find_task
from grammars import Expression, canonical, load_grammar, parse
from search.candidates.candidate import Candidate
from search.candidates.racing import Racing, Standing, scores
from search.candidates.screening import Screening
from search.executors import ProcessPool, Workload
from search.executors.executor import use_single_thread

from .processor import largest_child
from .scoring_campaign import training_share
from .scoring_peers import BATCH, WIDTHS, jax_loop, pytorch_loop, seconds_a_candidate

WORKLOAD = Workload(find_task("mnist-mlp-constant"))
FINAL_STEPS = 1600
CURVES = "mnist-mlp"
# Their mean is the step that training alone takes; functions differ by a factor of two.
TIMED = 48
TIMEOUT_SECONDS = 600.0
NEVER = threading.Event()

# What the ratios count against: how the names of its measurements begin. PyTorch in one process
# with all threads or in one a core, whichever is faster; the JAX loop as a user writes it, and also
# in one process a core.
RIVALS = {
    "jax_loop": "JAX loop, 1 process",
    "jax_loop_in_processes": "JAX loop",
    "pytorch": "PyTorch eager",
}


@dataclass(frozen=True)
class Race:
    """A way to the final budget.

    Attributes:
        steps: Of the rungs.
        reduction_factor: One in so many climbs.
        screening: Share of the candidates that is trained at all; None races by score, without
            forecasts.
        report: How its figures are called in the report.
    """

    steps: tuple[int, ...]
    reduction_factor: float
    screening: float | None = None
    report: str = "racing"


# Found without the candidates that are raced here: by score the cheapest ladder that keeps 95 % of
# the best tenth of 1,161 other functions, compiling included; by forecast what `actsearch curves`
# recommends for keeping 97 % and 90 % of other functions' best tenth.
RACES = {
    "by score": Race((200, 400, 800, FINAL_STEPS), 1.5, report="racing_by_score"),
    "by forecast and score": Race((50, FINAL_STEPS), 1.5, screening=0.33, report="racing_by_both"),
    "by forecast": Race((FINAL_STEPS,), 1.5, screening=0.18),
}


# Of the whole campaign.
CAMPAIGN = Race((400, FINAL_STEPS), 2.5)


def candidates(count: int) -> list[Expression]:
    """Distinct expressions that pass the probes, as a search would draw them.

    None of them is among those that forecasts have learnt from.
    """
    random, grammar = Random(1), load_grammar("core")
    known = {str(canonical(parse(text))) for text in load_curves(CURVES).expressions}
    drawn: dict[str, Expression] = {}
    while len(drawn) < count:
        expression = grammar.sample(random, depth=(1, 4))
        key = str(canonical(expression))
        if key not in known and not expression.parameters and probe(expression) is None:
            drawn.setdefault(key, expression)
    return list(drawn.values())


def pool(workers: int, batch: int, *, states_folder: Path | None = None) -> ProcessPool:
    """Workers that have started and loaded the data."""
    workload = replace(WORKLOAD, states_folder=states_folder)
    executor = ProcessPool(workload, workers=workers, batch=batch, timeout_seconds=TIMEOUT_SECONDS)
    evaluate(executor, candidates(workers), steps=1)
    return executor


def evaluate(
    executor: ProcessPool, expressions: Sequence[Expression], *, steps: int
) -> list[Evaluation]:
    """All at one rung of one seed."""
    batches = executor.evaluate(expressions, Fidelity(steps, (0,)), stopping=NEVER)
    return [evaluation for batch in batches for evaluation in batch]


def without_racing(expressions: list[Expression], *, steps: int, workers: int, batch: int) -> float:
    """Wall seconds a candidate."""
    with pool(workers, batch) as executor:
        begun = time.perf_counter()
        evaluate(executor, expressions, steps=steps)
        return (time.perf_counter() - begun) / len(expressions)


def with_racing(
    race: Race, expressions: list[Expression], *, workers: int, batch: int
) -> tuple[float, list[Standing]]:
    """Wall seconds a candidate, and where each of them ended."""
    entrants = [
        Candidate.of(expression, generation=0, origin="random", variation="drawn")
        for expression in expressions
    ]
    rungs = [Fidelity(steps, (0,)) for steps in race.steps]
    # The curves are read beforehand, as the data are, and libraries loaded; learning counts.
    import sklearn.ensemble  # noqa: F401

    screening = (
        Screening(load_curves(CURVES), share=race.screening, fidelities=rungs)
        if race.screening is not None
        else None
    )
    with (
        TemporaryDirectory() as states,
        pool(workers, batch, states_folder=Path(states)) as executor,
    ):

        def climb(chosen: Sequence[Candidate], rung: int) -> Iterable[Evaluation]:
            return evaluate(executor, [c.expression for c in chosen], steps=race.steps[rung])

        racing = Racing(
            rungs=len(rungs),
            reduction_factor=race.reduction_factor,
            promise=screening.promise if screening else scores,
        )
        begun = time.perf_counter()
        rejected = screening.screen(entrants) if screening else {}
        standings = racing.run([c for c in entrants if c.id not in rejected], climb)
        return (time.perf_counter() - begun) / len(expressions), standings


def top_decile_recall(truth: list[Evaluation], standings: list[Standing]) -> float:
    """Share of the truly best tenth that racing trained to the end."""
    ranked = sorted(truth, key=lambda e: -float("inf") if e.score is None else e.score)
    best = {evaluation.candidate_id for evaluation in ranked[-max(1, len(ranked) // 10) :]}
    finished = {
        s.evaluation.candidate_id for s in standings if s.evaluation.fidelity.steps == FINAL_STEPS
    }
    return len(best & finished) / len(best)


@dataclass(frozen=True)
class Step:
    """What a training step takes that is already compiled.

    Attributes:
        seconds: Wall time.
        cpu_seconds: Processor time.
        sgemm_fraction: Its share of the rate of large matrix products.
    """

    seconds: float
    cpu_seconds: float
    sgemm_fraction: float


def time_step(expressions: list[Expression]) -> Step:
    """The mean over some candidates; against matrix products, ReLU."""
    from evaluators.datasets import load
    from evaluators.steps.batches import DeviceData
    from evaluators.training.program import TrainingProgram

    task = WORKLOAD.task
    data = DeviceData(load(task.data), batch=task.recipe.batch, network=task.network)
    program = TrainingProgram([*expressions, parse("relu(x)")], task, data)

    def clocks(index: int, steps: int) -> np.ndarray:
        begun = np.array([time.perf_counter(), time.process_time()])
        program.train(index, seed=0, steps=steps)
        return np.array([time.perf_counter(), time.process_time()]) - begun

    steps = [(clocks(n, 300) - clocks(n, 100)) / 200 for n in range(len(expressions))]
    seconds, cpu_seconds = (float(value) for value in np.mean(steps, axis=0))
    relu = [(clocks(len(expressions), 300) - clocks(len(expressions), 100)) / 200 for _ in range(5)]
    # Of its own operations, which are fewer than those of a network with all inputs.
    forward = [a * b for a, b in pairwise((data.inputs.shape[1], *WIDTHS[1:]))]
    # Two gradients cost what two forward passes cost, except the inputs', which nobody needs.
    operations = 2 * BATCH * (3 * sum(forward) - forward[0])
    return Step(seconds, cpu_seconds, operations / np.median(relu, axis=0)[1] / _sgemm_rate())


def _sgemm_rate() -> float:
    """Operations a second of processor time in large products, as XLA computes them."""
    import jax

    matrix = np.ones((1024, 1024), np.float32)
    product = jax.jit(lambda a, b: a @ b).lower(matrix, matrix).compile()
    shortest = float("inf")
    for _ in range(20):
        begun = time.process_time()
        product(matrix, matrix).block_until_ready()
        shortest = min(shortest, time.process_time() - begun)
    return float(2 * 1024**3 / shortest)


def time_steps(expressions: list[Expression], *, workers: int) -> Step:
    """`time_step` while all cores are busy with it: the mean over the processes."""
    use_single_thread()
    with multiprocessing.get_context("spawn").Pool(workers) as processes:
        measured = processes.map(time_step, [expressions] * workers, chunksize=1)
    return Step(*np.mean([astuple(step) for step in measured], axis=0).tolist())


def endurance(count: int, *, workers: int, batch: int, steps: int) -> dict[str, float]:
    """Rate and memory of the last tenth of many candidates against the first after warm-up.

    Those two tenths are the same functions, since some take twice as long as others.
    """
    tenth = max(1, count // 10)
    drawn = candidates(tenth * 9)
    tenths = [drawn[first : first + tenth] for first in range(0, len(drawn), tenth)]
    seconds, memory = [], []
    with pool(workers, batch) as executor:
        for group in [*tenths, tenths[1]]:
            begun = time.perf_counter()
            evaluate(executor, group, steps=steps)
            seconds.append(time.perf_counter() - begun)
            memory.append(largest_child())
    return {
        "late_rate_ratio": seconds[1] / seconds[-1],
        "memory_growth": memory[-1] / memory[1] - 1.0,
    }


def interval(values: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest of some repetitions."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratios(measured: dict[str, list[float]], *, ours: str, others: Sequence[str]) -> dict[str, Any]:
    """How much longer the best of the others takes, by repetition."""
    return interval(
        [
            min(measured[other][n] for other in others) / seconds
            for n, seconds in enumerate(measured[ours])
        ]
    )


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything; peers get a sample of the candidates, since they take that much longer."""
    workers, batch = len(os.sched_getaffinity(0)), arguments.batch
    expressions = candidates(arguments.candidates)
    texts = [str(expression) for expression in expressions[: arguments.peer_candidates]]
    measured: dict[str, list[float]] = {}
    fractions: list[float] = []
    overheads: list[float] = []
    raced: dict[str, list[Standing]] = {}

    def timed(name: str, work: Callable[[], float]) -> float:
        seconds = work()
        measured.setdefault(name, []).append(seconds)
        print(f"{name:42} {60 / seconds:9.1f} a minute", flush=True)
        return seconds

    for _ in range(arguments.repetitions):
        step = time_steps(expressions[:TIMED], workers=workers)
        fractions.append(step.sgemm_fraction)
        ours = timed(
            "ours without racing, 400 steps",
            lambda: without_racing(expressions, steps=400, workers=workers, batch=batch),
        )
        overheads.append(ours * workers / (400 * step.seconds))
        for name, race in RACES.items():
            seconds, raced[name] = with_racing(race, expressions, workers=workers, batch=batch)
            timed(f"ours raced {name}, {FINAL_STEPS} steps", lambda seconds=seconds: seconds)
        for name, peer in (("JAX loop", jax_loop), ("PyTorch eager", pytorch_loop)):
            for steps in (400, FINAL_STEPS):
                for processes in sorted({1, workers}):
                    timed(
                        f"{name}, {processes} process(es), {steps} steps",
                        lambda peer=peer, steps=steps, processes=processes: seconds_a_candidate(
                            peer, texts, steps=steps, processes=processes
                        ),
                    )
    with pool(workers, batch) as executor:
        truth = evaluate(executor, expressions, steps=FINAL_STEPS)
    report: dict[str, Any] = {
        "overhead_factor": interval(overheads),
        "sgemm_fraction": interval(fractions),
    }
    for name, race in RACES.items():
        report[f"{race.report}_top_decile_recall"] = top_decile_recall(truth, raced[name])
    for key, rival in RIVALS.items():
        for prefix, ours_name, steps in (
            ("ratio", "ours without racing, 400 steps", 400),
            *(
                (f"{race.report}_ratio", f"ours raced {name}, {FINAL_STEPS} steps", FINAL_STEPS)
                for name, race in RACES.items()
            ),
        ):
            rivals = [n for n in measured if n.startswith(rival) and f" {steps} steps" in n]
            report[f"{prefix}_vs_{key}"] = ratios(measured, ours=ours_name, others=rivals)
    report["seconds_a_candidate"] = {name: interval(values) for name, values in measured.items()}
    return report


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=300)
    parser.add_argument("--peer-candidates", type=int, default=6)
    parser.add_argument("--endurance", type=int, default=5000, help="candidates; 0 leaves it out")
    parser.add_argument("--repetitions", type=int, default=3, help="0 leaves all but endurance out")
    parser.add_argument("--campaign", type=int, default=500, help="candidates; 0 leaves it out")
    parser.add_argument("--batch", type=int, default=150)
    parser.add_argument("--output", type=Path, default=Path("runs/benchmark.json"))
    arguments = parser.parse_args()
    output, workers = arguments.output, len(os.sched_getaffinity(0))
    # What is left out keeps the figures of an earlier run.
    report = json.loads(output.read_text(encoding="utf-8")) if output.is_file() else {}
    if arguments.repetitions:
        report |= measure(arguments)
    if arguments.campaign:
        report["training_share"] = training_share(
            arguments.campaign,
            steps=CAMPAIGN.steps,
            reduction_factor=CAMPAIGN.reduction_factor,
            step_seconds=lambda functions: time_steps(functions, workers=workers).cpu_seconds,
            sample=TIMED,
        )
    if arguments.endurance:
        report |= endurance(arguments.endurance, workers=workers, batch=arguments.batch, steps=20)
    report["setting"] = {**vars(arguments), "output": str(output), "workers": workers}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
