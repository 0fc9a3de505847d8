"""How much faster N workers are than one, and what would hold a thousand back.

    python -m tests.benchmarks.scaling --workers 1 2 4 [--executor ray] [--driver-ms 1.2]

Measured is the same set of candidates with each number of workers. The model takes the seconds of
training that a candidate needs from that, and says at how many workers the driver (search, journal
and tracking, as tests.benchmarks.driver measures them) would have no time left.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable

from evaluators.fidelity import Fidelity
from grammars import Expression, load_grammar
from search.executors import Executor, ProcessPool, RayCluster, Workload
from search.settings import SearchSettings
from search.strategies import STRATEGIES

FIDELITY = Fidelity(400, (0,))
LIMITS = {"batch": 16, "timeout_seconds": 60.0}


def candidates(count: int) -> list[Expression]:
    """Distinct functions from the core grammar, as a random search draws them."""
    strategy = STRATEGIES["random"](load_grammar("core"), SearchSettings(strategy="random"), seed=0)
    known: set[str] = set()

    def admit(expression: Expression) -> bool:
        is_new = str(expression) not in known
        known.add(str(expression))
        return is_new

    return [c.expression for c in strategy.ask(count, generation=0, admit=admit)]


def rate(start: Callable[[], Executor], expressions: list[Expression]) -> float:
    """Evaluations a second, once the workers are up."""
    with start() as executor:
        stopping = threading.Event()
        for _ in executor.evaluate(expressions[:16], Fidelity(1, (0,)), stopping=stopping):
            pass
        begun = time.monotonic()
        done = sum(len(b) for b in executor.evaluate(expressions, FIDELITY, stopping=stopping))
        return done / (time.monotonic() - begun)


def starter(executor: str, workload: Workload, workers: int) -> Callable[[], Executor]:
    """Makes an executor with so many workers."""
    if executor == "ray":
        return lambda: RayCluster(workload, workers=workers, **LIMITS)  # type: ignore[arg-type]
    return lambda: ProcessPool(workload, workers=workers, **LIMITS)  # type: ignore[arg-type]


def print_model(seconds_each: float, driver_seconds: float) -> None:
    """Where the driver saturates, for this training and for ten and a hundred times as much."""
    print("\nworkers that one driver can feed, by seconds of training a candidate:")
    for factor in (1, 10, 100):
        each = seconds_each * factor
        print(f"  {each:8.2f} s: {each / driver_seconds:9,.0f} workers")
    needed = 1000 * driver_seconds
    print(
        f"a thousand workers keep it below a core where a candidate trains {needed:.2f} s or more"
    )


def main() -> None:
    """Reads the options, measures and models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--executor", choices=("processes", "ray"), default="processes")
    parser.add_argument("--task", default="mnist-mlp")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--candidates", type=int, default=96)
    parser.add_argument("--driver-ms", type=float, default=1.0, help="of tests.benchmarks.driver")
    options = parser.parse_args()
    expressions = candidates(options.candidates)
    workload = Workload(options.task, options.dataset)
    rates: list[float] = []
    for workers in options.workers:
        rates.append(rate(starter(options.executor, workload, workers), expressions))
        speedup = rates[-1] / rates[0] * options.workers[0]
        print(
            f"{workers:3} workers: {rates[-1]:6.2f} evaluations a second, "
            f"efficiency {speedup / workers:.0%}",
            flush=True,
        )
    print_model(options.workers[0] / rates[0], options.driver_ms / 1000.0)


if __name__ == "__main__":
    main()
