"""Verifies every target on the whole catalogue and on random expressions from every grammar.

Run as a script, since it takes long: `python tests/grammars/export/every_framework.py --help`.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grammars import CATALOGUE, parse
from grammars.export import TARGETS, Function, Provenance, verify
from grammars.export.running import Effort
from grammars.export.verification import Exported, Verification
from grammars.space.grammar_files import grammar_names, load_grammar

# How many values a trained parameter has.
CHANNELS = 3


@dataclass(frozen=True)
class Batch:
    """Functions that are verified together, in one fresh process a framework.

    Attributes:
        texts: The expressions by their names, such as `core_7`.
        targets: Names of the targets.
        effort: Of the verification.
    """

    texts: dict[str, str]
    targets: tuple[str, ...]
    effort: Effort

    @property
    def key(self) -> str:
        """Tells whether a record is of this very batch."""
        return json.dumps(asdict(self))

    def functions(self) -> list[Function]:
        """With start values, or with trained ones, a number a channel, by turns."""
        return [
            _function(text, name, is_trained=place % 2 == 1)
            for place, (name, text) in enumerate(self.texts.items())
        ]


def _function(text: str, name: str, *, is_trained: bool) -> Function:
    expression = parse(text)
    generator = random.Random(name)
    values = {
        parameter.name: [generator.uniform(0.5, 1.5) for _ in range(CHANNELS)]
        for parameter in (expression.parameters if is_trained else ())
    }
    return Function(expression, name, Provenance(parameters=values))


def expressions(samples: int) -> dict[str, str]:
    """The catalogue, and then one expression from each grammar after the other."""
    found = {f"catalogue_{i}": entry.text for i, entry in enumerate(CATALOGUE.values())}
    grammars = {name: load_grammar(name) for name in grammar_names()}
    generators = {name: random.Random(name) for name in grammars}
    for place in range(samples):
        for name, grammar in grammars.items():
            found[f"{name}_{place}"] = str(grammar.sample(generators[name], depth=(1, 6)))
    return found


def batches(samples: int, size: int, targets: Sequence[str], effort: Effort) -> Iterator[Batch]:
    """All expressions, so many at a time."""
    named = list(expressions(samples).items())
    for first in range(0, len(named), size):
        yield Batch(dict(named[first : first + size]), tuple(targets), effort)


def verified(batch: Batch) -> list[dict[str, Any]]:
    """Renders and runs the files of a batch; one document for each file and framework."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for function in batch.functions():
            for target in map(TARGETS.__getitem__, batch.targets):
                path = Path(folder) / f"{function.name}{target.suffix}"
                content = target.render(function)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
                files.append(Exported(target, path, function))
        texts = {file.path.name: str(file.function.expression) for file in files}
        results = verify(files, effort=batch.effort)
    return [{**_summary(result), "expression": texts[result.file]} for result in results]


def _summary(result: Verification) -> dict[str, Any]:
    return {
        "target": result.target,
        "file": result.file,
        "status": result.status,
        "framework": result.framework,
        "reason": result.reason,
        "checks": [
            [f"{c.mode} {c.precision}", c.compared, c.widened, c.error, c.special]
            for c in result.checks
        ],
        "kept": dict(result.kept),
    }


def run(todo: Iterable[Batch], record: Path, workers: int, seconds: float) -> list[dict[str, Any]]:
    """Verifies what the record does not hold yet, beginning no batch after so many seconds.

    Returns:
        All that the record then holds of these batches.
    """
    wanted = {batch.key: batch for batch in todo}
    lines = record.read_text().splitlines() if record.exists() else []
    done = {entry["key"]: entry["results"] for entry in map(json.loads, lines)}
    pending = [batch for key, batch in wanted.items() if key not in done]
    begun = time.monotonic()
    # A fresh process for each batch, since JAX keeps whatever it has compiled.
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    )
    running: dict[Future[list[dict[str, Any]]], Batch] = {}
    with pool, record.open("a") as file:
        while pending or running:
            while pending and len(running) < workers:
                batch = pending.pop(0)
                running[pool.submit(verified, batch)] = batch
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                batch, results = running.pop(future), future.result()
                done[batch.key] = results
                file.write(json.dumps({"key": batch.key, "results": results}) + "\n")
                file.flush()
                report_failures(results)
            passed = time.monotonic() - begun
            print(f"{len(pending) + len(running)} batches left after {passed:.0f} s", flush=True)
            if passed > seconds:
                pending.clear()
    return [result for key in wanted for result in done.get(key, [])]


def report_failures(results: Iterable[dict[str, Any]]) -> None:
    """Prints what disagrees, and why."""
    for result in results:
        if result["status"] == "failed":
            reason = result["reason"][-700:]
            print(f"{result['file']}: {result['expression']}\n    {reason}", flush=True)


def report(results: Sequence[dict[str, Any]]) -> None:
    """Prints how many files agree in which framework, and at how many points."""
    counts = Counter((r["target"], r["framework"] or r["reason"], r["status"]) for r in results)
    for (target, framework, status), count in counts.items():
        if status != "failed":
            print(f"{target}, {framework}: {count:,} files {status}")
    for target, count in Counter(r["target"] for r in results if r["status"] == "failed").items():
        print(f"{target}: {count:,} failed")
    compared: Counter[tuple[str, str]] = Counter()
    special: Counter[tuple[str, str]] = Counter()
    widened: Counter[tuple[str, str]] = Counter()
    largest: dict[tuple[str, str], float] = {}
    for result in results:
        for how, points, of_these, error, beyond in result["checks"]:
            key = result["target"], how
            special[key] += beyond
            compared[key] += points
            widened[key] += of_these
            largest[key] = max(largest.get(key, 0.0), error)
    for key, points in compared.items():
        print(
            f"{' '.join(key)}: {points:,} comparisons, {widened[key]:,} of them widened; "
            f"largest error elsewhere {largest[key]:.1e}; {special[key]:,} at NaN, infinities "
            "and numbers below the smallest normal one"
        )
    report_kept(results)


def report_kept(results: Sequence[dict[str, Any]]) -> None:
    """Prints what the forms of the files keep for the backward pass."""
    sizes: dict[tuple[str, str], list[float]] = {}
    for result in results:
        for mode, size in result["kept"].items():
            sizes.setdefault((result["target"], mode), []).append(size)
    for (target, mode), found in sizes.items():
        print(
            f"{target} {mode}: keeps {statistics.median(found):.3g} sizes of x in the median of "
            f"{len(found):,} files, at most {max(found):.3g}"
        )


def main() -> int:
    """0 only if every file has been verified, or could not be for want of its framework."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", default=",".join(TARGETS), help="a list with commas")
    parser.add_argument("--samples", type=int, default=200, help="random expressions a grammar")
    parser.add_argument("--batch", type=int, default=125, help="functions that one process runs")
    parser.add_argument("--effort", choices=["quick", "usual", "thorough"], default="quick")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--record", type=Path, help="a later run of the same code goes on from it")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no batch after that")
    given = parser.parse_args()
    todo = list(batches(given.samples, given.batch, given.targets.split(","), given.effort))
    with tempfile.TemporaryDirectory() as folder:
        record = given.record or Path(folder) / "record.jsonl"
        results = run(todo, record, given.workers, given.minutes * 60)
    report(results)
    missing = sum(len(b.texts) * len(b.targets) for b in todo) - len({r["file"] for r in results})
    print(f"{missing:,} files were left for another time" if missing else "all files were run")
    return 0 if not missing and all(result["status"] != "failed" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
