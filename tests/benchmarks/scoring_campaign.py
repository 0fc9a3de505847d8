"""How much of a whole campaign's processor time its training steps are."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from evaluators.evaluation.evaluation import Evaluation
from grammars import Expression, parse
from search.journal.journal import FILE_NAME, Journal

from .processor import cpu_seconds

_CAMPAIGN = """
task = "mnist-mlp-constant"

[search]
population = 128

[scoring]
rungs = [{rungs}]
reduction_factor = {factor}

[stop]
generations = 1000
evaluations = {evaluations}
"""


def training_share(
    evaluations: int,
    *,
    steps: Sequence[int],
    reduction_factor: float,
    step_seconds: Callable[[list[Expression]], float],
    sample: int,
) -> float:
    """Launches a campaign as a user does, and says how much of it was training.

    Args:
        evaluations: Candidates that it trains, at least.
        steps: Of its rungs.
        reduction_factor: One in so many climbs.
        step_seconds: Processor time of a step that is already compiled, the mean over functions.
        sample: How many of the campaign's functions to ask it for.

    Returns:
        The steps of all training runs times `step_seconds`, over the processor time of everything:
        starting, compiling, validating, searching, the journal, MLflow and the report.
    """
    rungs = ", ".join(f"{{ steps = {each} }}" for each in steps)
    text = _CAMPAIGN.format(rungs=rungs, factor=reduction_factor, evaluations=evaluations)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "share.toml"
        file.write_text(text, encoding="utf-8")
        cpu = _cpu_seconds_of(["launch", str(file), "--runs-dir", folder])
        with Journal(Path(folder) / "share" / FILE_NAME, read_only=True) as journal:
            events = journal.events("evaluation", "measurement")
            trained = [
                Evaluation.from_json({k: v for k, v in e.payload.items() if k != "rung"})
                for e in events
            ]
    longest: dict[str, int] = {}
    for record in trained:
        if record.per_seed:  # a state is carried from rung to rung
            before = longest.get(record.candidate_id, 0)
            longest[record.candidate_id] = max(before, record.fidelity.steps)
    texts = {r.candidate_id: r.expression for r in trained if r.candidate_id in longest}
    chosen = Random(0).sample(sorted(texts.values()), min(sample, len(texts)))
    return sum(longest.values()) * step_seconds([parse(text) for text in chosen]) / cpu


def _cpu_seconds_of(arguments: list[str]) -> float:
    """Of a command and all that it starts, to within what the last quarter of a second took."""
    before = last = cpu_seconds()
    with subprocess.Popen([sys.executable, "-m", "search", *arguments]) as command:
        while command.poll() is None:
            last = max(last, cpu_seconds())
            time.sleep(0.25)
    if command.returncode:
        raise RuntimeError(f"the campaign ended with exit status {command.returncode}")
    return last - before
