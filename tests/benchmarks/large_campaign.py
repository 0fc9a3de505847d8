"""What a campaign of many candidates costs its readers: the leaderboard, the report and its record.

    python -m tests.benchmarks.large_campaign --candidates 20000 [--keep FOLDER]

The search is real, its training is simulated. Printed are the seconds of processor time of each
command in a process of its own, and the size of what it writes. A folder that is kept holds the
campaign; where it has one already, only the commands are measured.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from evaluators.evaluation.diagnostics import Diagnostics
from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation, load_grammar
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Loop
from search.settings import Settings
from tests.benchmarks.driver import launch_record
from tests.search.ownerless import Ownerless
from tests.search.simulation import BENCH, Simulation

NAME: Final = "large"
COMMANDS: Final = (
    ("leaderboard",),
    ("leaderboard", "--json"),
    ("report", "--no-measure"),
    ("record",),
)


@dataclass
class Diagnosed(Ownerless):
    """Simulated scoring whose records are as long as real ones."""

    simulation: Simulation = field(default_factory=lambda: Simulation(batch=32))

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: threading.Event
    ) -> Iterator[list[Evaluation]]:
        for batch in self.simulation.evaluate(expressions, fidelity, stopping=stopping):
            yield [_diagnosed(evaluation) for evaluation in batch]


def _diagnosed(evaluation: Evaluation) -> Evaluation:
    score = evaluation.score or 0.0
    diagnostics = Diagnostics(
        dead_units=0.0,
        saturated_units=1.0 / 216.0,
        output_sparsity=1.0 / (2.0 + abs(score)),
        mean_output=(score / 7.0, score / 3.0),
        gradient_norms=(1.0 + abs(score) / 9.0, 0.99071741104126, 0.947026386857033),
    )
    return replace(evaluation, diagnostics=diagnostics, seconds=0.0123456789 + abs(score) / 100.0)


def write_campaign(folder: Path, *, candidates: int) -> None:
    """Runs a search over so many candidates, without a mirror."""
    settings = Settings.model_validate(
        {
            "name": NAME,
            "task": BENCH.task,
            "search": {"population": 250},
            "tracking": {"mlflow": False},
            "stop": {"generations": 1_000_000, "evaluations": candidates},
        }
    )
    folder.mkdir(parents=True)
    with Journal(folder / FILE_NAME) as journal:
        journal.append("campaign", "settings", launch_record(settings))
        Loop(
            settings,
            grammar=load_grammar(settings.grammar),
            bench=BENCH,
            hidden_layers=2,
            journal=journal,
            executor=Diagnosed(),
        ).run()


def measure(runs_dir: Path, command: Sequence[str]) -> None:
    """Runs a command on the campaign, and prints what it took and how it ended."""
    verb, *options = command
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        [sys.executable, "-m", "search", verb, NAME, *options, "--runs-dir", str(runs_dir)],
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = "" if result.returncode == 0 else f": {result.stderr.strip()[:200]}"
    print(f"{' '.join(command):22} {seconds:6.2f} s, status {result.returncode}{said}", flush=True)


def print_sizes(folder: Path) -> None:
    """What the journal and the files of the report weigh."""
    for path in (folder / FILE_NAME, *sorted((folder / "report").rglob("*.*"))):
        if path.is_file() and path.suffix not in {".png"}:
            print(f"{path.stat().st_size / 1e6:9.3f} MB  {path.relative_to(folder)}")


def main() -> None:
    """Reads the options and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=20_000)
    parser.add_argument("--keep", type=Path, help="a runs directory for the campaign")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs_dir = options.keep or Path(temporary)
        folder = runs_dir / NAME
        if not (folder / FILE_NAME).is_file():
            write_campaign(folder, candidates=options.candidates)
        for command in COMMANDS:
            measure(runs_dir, command)
        print_sizes(folder)


if __name__ == "__main__":
    main()
