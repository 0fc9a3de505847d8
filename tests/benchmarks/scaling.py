"""How much faster N workers are than one, and what would hold a thousand back.

    python -m tests.benchmarks.scaling --workers 1 2 4 [--executor ray] [--driver-ms 1.6]
    python -m tests.benchmarks.scaling --simulated 200 1000 [--training-seconds 1.6]

Measured is the same set of candidates with each number of workers, and what their records cost the
journal. The model says which part of the driver a thousand workers would outrun first: all of it
(as tests.benchmarks.driver measures it), the journal alone, or the mirror in MLflow.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task
from grammars import Expression, load_grammar
from search.candidates.generation import GenerationSummary
from search.executors import Executor, ProcessPool, RayCluster, Workload
from search.journal.journal import FILE_NAME, Journal, Kind
from search.loop.campaign import Loop
from search.loop.observing import Callbacks
from search.settings import ScoringSettings, SearchSettings, Settings
from search.strategies import STRATEGIES
from search.tracking.mirror import REST_SHARE
from tests.benchmarks.simulated_cluster import WaitingSlots, waiting_delivery
from tests.search.simulation import BENCH

FIDELITY = Fidelity(400, (0,))
BATCH = 16
TIMEOUT_SECONDS = 60.0


def candidates(count: int) -> list[Expression]:
    """Distinct functions from the core grammar, as a random search draws them."""
    strategy = STRATEGIES["random"](load_grammar("core"), SearchSettings(strategy="random"), seed=0)
    known: set[str] = set()

    def admit(expression: Expression) -> bool:
        is_new = str(expression) not in known
        known.add(str(expression))
        return is_new

    return [c.expression for c in strategy.ask(count, generation=0, admit=admit)]


def timed(
    start: Callable[[], Executor], expressions: list[Expression]
) -> tuple[list[Evaluation], float]:
    """Evaluations, and how many a second there were once the workers were up."""
    with start() as executor:
        stopping = threading.Event()
        for _ in executor.evaluate(expressions[:16], Fidelity(1, (0,)), stopping=stopping):
            pass
        begun = time.monotonic()
        batches = executor.evaluate(expressions, FIDELITY, stopping=stopping)
        done = [evaluation for batch in batches for evaluation in batch]
        return done, len(done) / (time.monotonic() - begun)


def starter(executor: str, workload: Workload, workers: int) -> Callable[[], Executor]:
    """Makes an executor with so many workers."""
    kind = {"processes": ProcessPool, "ray": RayCluster}[executor]
    return lambda: kind(workload, workers=workers, batch=BATCH, timeout_seconds=TIMEOUT_SECONDS)


def journal_seconds(evaluations: Sequence[Evaluation], *, batch: int) -> float:
    """What recording one evaluation durably takes, in batches."""
    events: list[tuple[Kind, str, dict[str, Any]]] = [
        ("evaluation", str(number), {"rung": 0, **evaluation.to_json()})
        for number, evaluation in enumerate(evaluations)
    ]
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / FILE_NAME) as journal:
        begun = time.monotonic()
        for first in range(0, len(events), batch):
            journal.append_all(events[first : first + batch])
        return (time.monotonic() - begun) / len(events)


def simulated(
    workers: int, *, training_seconds: float, seconds: float, population: float, lookahead: int
) -> None:
    """A campaign on so many workers that wait instead of training: how busy the driver keeps them.

    Counted is from the end of the first generations, which are bred while nobody can work yet.
    """
    chosen = Settings.model_validate(
        {
            "name": "simulated",
            "search": {"population": round(population * workers), "lookahead": lookahead},
            "stop": {"generations": 1_000_000},
        }
    )
    slots = WaitingSlots(workers, training_seconds=training_seconds)
    stopping = threading.Event()
    begun: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / FILE_NAME) as journal:

        def start_counting(summary: GenerationSummary) -> None:
            if summary.generation == lookahead:
                slots.usage()
                slots.own_seconds = 0.0
                begun.append(time.process_time())
                threading.Timer(seconds, stopping.set).start()

        campaign = Loop(
            chosen,
            grammar=load_grammar(chosen.grammar),
            bench=BENCH,
            hidden_layers=2,
            journal=journal,
            executor=cast("Executor", waiting_delivery(slots, batch=chosen.scoring.batch)),
            stopping=stopping,
            observers=[Callbacks(start_counting, lambda standing: None)],
        )
        watch = threading.Thread(target=campaign.run)
        watch.start()
        stopping.wait()
        usage, processor = slots.usage(), time.process_time() - begun[0]
        driver = (processor - slots.own_seconds) / usage.evaluations
        print(
            f"{workers:5} workers at {training_seconds:g} s: {usage.busy:.0%} busy, "
            f"{usage.evaluations / usage.seconds:.0f} evaluations a second; the driver takes "
            f"{1000 * driver:.2f} ms each, {processor / usage.seconds:.0%} of a core",
            flush=True,
        )
        watch.join()
    slots.close()


def print_model(training_seconds: float, parts: Mapping[str, float]) -> None:
    """How many workers each part can serve, the one that saturates first at the top.

    Args:
        training_seconds: Of one worker, for an evaluation.
        parts: Seconds of each part, for an evaluation.
    """
    print(f"\nan evaluation trains {training_seconds:.2f} s here, and costs")
    for name, each in sorted(parts.items(), key=lambda part: -part[1]):
        print(
            f"  {name:8} {1000 * each:7.3f} ms: it keeps up with {training_seconds / each:9,.0f} "
            f"workers, and with a thousand where one trains {1000 * each:6.2f} s or more"
        )


def main() -> None:
    """Reads the options, measures and models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--executor", choices=("processes", "ray"), default="processes")
    parser.add_argument("--task", default="mnist-mlp")
    parser.add_argument("--candidates", type=int, default=96)
    parser.add_argument("--driver-ms", type=float, default=1.6, help="of tests.benchmarks.driver")
    parser.add_argument("--run-ms", type=float, default=20.0, help="to write an MLflow run")
    parser.add_argument("--simulated", type=int, nargs="+", help="workers that only wait")
    parser.add_argument("--training-seconds", type=float, default=1.6)
    parser.add_argument("--population", type=float, default=2.0, help="a simulated worker")
    parser.add_argument("--lookahead", type=int, default=1, help="generations bred ahead")
    parser.add_argument("--seconds", type=float, default=60.0, help="to count for")
    options = parser.parse_args()
    if options.simulated:
        for workers in options.simulated:
            simulated(
                workers,
                training_seconds=options.training_seconds,
                seconds=options.seconds,
                population=options.population,
                lookahead=options.lookahead,
            )
        return
    expressions = candidates(options.candidates)
    workload = Workload(find_task(options.task))
    rates: list[float] = []
    for workers in options.workers:
        done, per_second = timed(starter(options.executor, workload, workers), expressions)
        rates.append(per_second)
        speedup = rates[-1] / rates[0] * options.workers[0]
        print(
            f"{workers:3} workers: {rates[-1]:6.2f} evaluations a second, "
            f"efficiency {speedup / workers:.0%}",
            flush=True,
        )
    # The mirror writes a run for whoever is promoted, and rests between two of them.
    promoted = 1.0 / ScoringSettings().reduction_factor
    parts = {
        "driver": options.driver_ms / 1000.0,
        "journal": journal_seconds(done, batch=BATCH),
        "tracking": options.run_ms / 1000.0 * (1.0 + REST_SHARE) * promoted,
    }
    print_model(options.workers[0] / rates[0], parts)


if __name__ == "__main__":
    main()
