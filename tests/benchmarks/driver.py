"""What the driver costs: search, journal and MLflow mirror around training that costs nothing.

    python -m tests.benchmarks.driver --evaluations 20000 --rate 100

Evaluations arrive at the given rate (0 for as fast as they are asked for). Printed are the seconds
of one core that each evaluation costs, of the loop and of the mirror, and how far the mirror was
behind when the last one was in.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Expression, load_grammar
from search.candidates.generation import GenerationSummary
from search.candidates.racing import Standing
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Loop
from search.settings import Settings
from search.tracking import Destination, Mirror
from tests.search.ownerless import Ownerless
from tests.search.simulation import BENCH, Simulation


@dataclass
class Paced(Ownerless):
    """Simulated scoring at a steady rate, whose own work is not the driver's.

    Attributes:
        rate: Evaluations a second, 0 for no limit.
        limit: Stops the campaign after so many.
        done: Evaluations so far.
        own_seconds: Processor time spent on simulating.
        enough: Is set after the last of them, and ends the campaign.
    """

    rate: float
    limit: int
    done: int = 0
    own_seconds: float = 0.0
    begun: float = field(default_factory=time.monotonic)
    enough: threading.Event = field(default_factory=threading.Event)
    simulation: Simulation = field(default_factory=lambda: Simulation(batch=32))

    def evaluate(
        self, expressions: Sequence[Expression], fidelity: Fidelity, *, stopping: threading.Event
    ) -> Iterator[list[Evaluation]]:
        batches = self.simulation.evaluate(expressions, fidelity, stopping=stopping)
        while True:
            before = time.thread_time()
            batch = next(batches, None)
            self.own_seconds += time.thread_time() - before
            if batch is None:
                return
            self.done += len(batch)
            if self.rate:
                time.sleep(max(0.0, self.begun + self.done / self.rate - time.monotonic()))
            yield batch
            if self.done >= self.limit:
                self.enough.set()


@dataclass
class Waker:
    """Wakes the mirror, as a launch does."""

    mirror: Mirror

    def on_progress(self, rung: int, done: int, total: int) -> None:
        self.mirror.wake()

    def on_generation(self, summary: GenerationSummary) -> None:
        self.mirror.wake()

    def on_best(self, standing: Standing) -> None:
        pass


def settings(strategy: str) -> Settings:
    return Settings.model_validate(
        {
            "name": "driver",
            "search": {"strategy": strategy, "population": 64},
            "stop": {"generations": 1_000_000},
        }
    )


def measure(folder: Path, *, strategy: str, evaluations: int, rate: float) -> None:
    """Runs a campaign of so many evaluations in a folder and prints what it cost."""
    chosen = settings(strategy)
    campaign_dir = folder / chosen.name
    campaign_dir.mkdir()
    executor = Paced(rate, evaluations)
    with Journal(campaign_dir / FILE_NAME) as journal:
        journal.append("campaign", "settings", launch_record(chosen))
        mirror = Mirror(journal.path, destination=Destination(folder), campaign_dir=campaign_dir)
        campaign = Loop(
            chosen,
            grammar=load_grammar(chosen.grammar),
            bench=BENCH,
            hidden_layers=2,
            journal=journal,
            executor=executor,
            stopping=executor.enough,
            observers=[Waker(mirror)],
        )
        wall, loop, whole = time.monotonic(), time.thread_time(), time.process_time()
        executor.begun = wall
        mirror.start()
        campaign.run()
        wall, loop = time.monotonic() - wall, time.thread_time() - loop
        whole = time.process_time() - whole
        simulated = executor.own_seconds
        behind = mirror.events_behind
        events = sum(1 for _ in journal.events())
        print_costs(executor.done, wall=wall, loop=loop - simulated, whole=whole - simulated)
        print(f"the mirror was {behind} of {events} events behind at the end")
        caught_up = time.monotonic()
        status = mirror.close(timeout_seconds=1200.0)
        print(f"and had them {time.monotonic() - caught_up:.1f} s later ({status})")


def launch_record(chosen: Settings) -> dict[str, object]:
    """What a launch writes first."""
    return {
        "settings": chosen.model_dump(mode="json"),
        "dataset": {"name": "digits", "source": "simulated", "fallback_for": None},
        "versions": {},
        "campaign_file": "",
    }


def print_costs(evaluations: int, *, wall: float, loop: float, whole: float) -> None:
    """The share of one core at the rate that was reached, and at a hundred a second."""
    print(f"{evaluations} evaluations in {wall:.1f} s: {evaluations / wall:.1f} a second")
    for name, seconds in (("loop", loop), ("mirror", whole - loop), ("together", whole)):
        each = seconds / evaluations
        print(
            f"{name:>9}: {1000 * each:6.3f} ms an evaluation, {seconds / wall:6.1%} of a core, "
            f"{100 * each:6.1%} at 100 a second"
        )


def main() -> None:
    """Reads the options and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--strategy", default="genetic")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(
            Path(folder),
            strategy=options.strategy,
            evaluations=options.evaluations,
            rate=options.rate,
        )


if __name__ == "__main__":
    main()
