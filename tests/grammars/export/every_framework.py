"""Verifies every target on the whole catalogue and on random expressions from every grammar.

Run as a script, since it takes long: `python tests/grammars/export/every_framework.py --help`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from grammars import CATALOGUE, Expression, parse
from grammars.export import TARGETS, Provenance, Target, Verification, verify
from grammars.export.function import Function
from grammars.export.running import Effort
from grammars.export.verification import Exported
from grammars.grammar_files import grammar_names, load_grammar

# As many as one process takes before its caches grow large.
FILES_PER_PROCESS = 100


def expressions(samples: int) -> dict[str, list[Expression]]:
    """The catalogue, and so many expressions from each grammar, by their origin."""
    found = {"catalogue": [parse(entry.text) for entry in CATALOGUE.values()]}
    for name in grammar_names():
        generator, grammar = random.Random(name), load_grammar(name)
        found[name] = [grammar.sample(generator, depth=(1, 6)) for _ in range(samples)]
    return found


def verified(
    functions: Sequence[Function], targets: Sequence[Target], effort: Effort
) -> Iterator[tuple[Function, Verification]]:
    """Renders all functions for all targets and runs them, a batch of files at a time."""
    for start in range(0, len(functions), FILES_PER_PROCESS):
        batch = functions[start : start + FILES_PER_PROCESS]
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for target in targets:
                for function in batch:
                    path = Path(folder) / f"{function.name}{target.suffix}"
                    content = target.render(function)
                    path.write_bytes(content if isinstance(content, bytes) else content.encode())
                    files.append(Exported(target, path, function))
            by_file = {file.path.name: file.function for file in files}
            for result in verify(files, effort=effort):
                yield by_file[result.file], result


def main() -> int:
    """Prints what disagrees and how many files of each target agree; 1 if any does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", default=",".join(TARGETS), help="a list with commas")
    parser.add_argument("--samples", type=int, default=200, help="random expressions a grammar")
    parser.add_argument("--effort", choices=["quick", "usual", "thorough"], default="quick")
    arguments = parser.parse_args()
    targets = [TARGETS[name] for name in arguments.targets.split(",")]
    counts: Counter[tuple[str, str]] = Counter()
    checks: Counter[str] = Counter()
    started = time.monotonic()
    for origin, drawn in expressions(arguments.samples).items():
        functions = [Function(e, f"{origin}_{i}", Provenance()) for i, e in enumerate(drawn)]
        for function, result in verified(functions, targets, arguments.effort):
            key = f"{result.target} ({result.framework or result.reason})"
            counts[key if result.status != "failed" else result.target, result.status] += 1
            for check in result.checks:
                checks[f"{result.target} {check.mode} {check.precision}: compared"] += (
                    check.compared
                )
                checks[f"{result.target} {check.mode} {check.precision}: widened"] += check.widened
            if result.status == "failed":
                print(f"{result.target}: {function.expression}\n    {result.reason[-700:]}")
        print(f"{origin} done after {time.monotonic() - started:.0f} s", flush=True)
    for (target, status), count in sorted(counts.items()):
        print(f"{target}: {count:,} {status}")
    for name, count in sorted(checks.items()):
        print(f"{name} {count:,}")
    return 1 if any(status == "failed" for _, status in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
