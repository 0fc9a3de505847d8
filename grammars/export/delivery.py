"""Exports a function: writes the files, has them verified, and only then puts them in place."""

from __future__ import annotations

import difflib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from grammars.export.function import DEFAULT_NAME, Function
from grammars.export.lowering import ExportError, MissingPackageError
from grammars.export.provenance import Provenance
from grammars.export.running import Effort
from grammars.export.speed import TIMERS, measure_speed
from grammars.export.targets import TARGETS, Target
from grammars.export.tensors import TensorFormat
from grammars.export.verification import Exported, Verification, verify
from grammars.expressions.expression import Expression

REPORT_NAME: Final = "verification.json"
REPORT_FORMAT: Final = 1
ALL: Final = "all"
# What users call a target by another name.
ALIASES: Final = {"torch": "pytorch"}


def find_targets(names: Sequence[str]) -> list[Target]:
    """The rows of the table for names, each once and in the order given; `all` stands for all.

    Raises:
        ExportError: For an unknown name, with the nearest one and the whole list.
    """
    wanted = [
        name
        for given in names
        for name in (TARGETS if given == ALL else [ALIASES.get(given, given)])
    ]
    for name in wanted:
        if name not in TARGETS:
            near = difflib.get_close_matches(name, TARGETS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ExportError(
                f"unknown target {name!r}; {hint}expected one of {', '.join(TARGETS)} or {ALL}"
            )
    if not wanted:
        raise ExportError(f"no target given; expected some of {', '.join(TARGETS)} or {ALL}")
    return [TARGETS[name] for name in dict.fromkeys(wanted)]


def render(
    expression: Expression,
    target: str,
    *,
    name: str = DEFAULT_NAME,
    provenance: Provenance | None = None,
    tensors: TensorFormat | None = None,
) -> str | bytes:
    """The content of an exported file.

    Args:
        expression: What to export.
        target: A name from the table of targets.
        name: Of the exported function.
        provenance: What the file tells about the function.
        tensors: The axes and the precision of an ONNX or StableHLO file.

    Raises:
        ExportError: If the target or the name is not one that can be used, or the expression is
            too large.
    """
    (row,) = find_targets([target])
    return row.render(_function(expression, name, provenance, tensors))


def _function(
    expression: Expression,
    name: str,
    provenance: Provenance | None,
    tensors: TensorFormat | None,
) -> Function:
    return Function(expression, name, provenance or Provenance(), tensors or TensorFormat())


def export(
    expression: Expression,
    targets: Sequence[str],
    output: Path,
    *,
    name: str = DEFAULT_NAME,
    provenance: Provenance | None = None,
    tensors: TensorFormat | None = None,
    verify_files: bool = True,
    interpreter: str = sys.executable,
    effort: Effort = "usual",
    speed: bool = False,
) -> list[Verification]:
    """Writes a function as files that stand alone, once each has been run in its framework.

    A file that fails its verification is not delivered, and a target that cannot be written, for
    want of a package or for whatever reason, does not keep the others from being so. What was found
    is written to `verification.json` beside the files either way.

    Args:
        expression: What to export.
        targets: Names from the table of targets, or `all`.
        output: A directory, which is made if need be; for a single target also a file, whose name
            ends as that target's files do.
        name: Of the exported function.
        provenance: What the files tell about the function.
        tensors: The axes and the precision of ONNX and StableHLO files.
        verify_files: False leaves every file unverified, and says so.
        interpreter: The Python that runs the files; it need not have this package.
        effort: Of the verification, as in `verify`.
        speed: Whether files that are verified are also timed, where `measure_speed` can.

    Returns:
        One verification for each target and each framework that runs it, in their order.

    Raises:
        ExportError: If a target or the name is not one that can be used, the expression is too
            large, or not one of the files can be written.
    """
    rows = find_targets(targets)
    function = _function(expression, name, provenance, tensors)
    places = _places(rows, output, name)
    folder = places[0].parent
    if folder / REPORT_NAME in places:
        raise ExportError(
            f"{REPORT_NAME} is where the results of verifying are written; give the function "
            "another name"
        )
    folder.mkdir(parents=True, exist_ok=True)
    # In the same directory, so that putting a file in its place is one atomic step.
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as workplace:
        drafts, unwritten = _written(rows, places, Path(workplace), function)
        if verify_files:
            results = verify(drafts, interpreter=interpreter, effort=effort)
            if speed:
                results = [_timed(result, function, interpreter) for result in results]
        else:
            results = [draft.verdict("unverified", "not asked for") for draft in drafts]
        failed = {result.file for result in results if result.status == "failed"}
        for draft in drafts:
            if draft.path.name not in failed:
                os.replace(draft.path, folder / draft.path.name)
        order = [row.name for row in rows]
        results = sorted([*results, *unwritten], key=lambda result: order.index(result.target))
        with _locked(folder):
            _write(Path(workplace) / REPORT_NAME, _report(folder / REPORT_NAME, function, results))
            os.replace(Path(workplace) / REPORT_NAME, folder / REPORT_NAME)
    return results


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lets one process at a time add to the report of a directory."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network's file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _written(
    rows: Sequence[Target], places: Sequence[Path], workplace: Path, function: Function
) -> tuple[list[Exported], list[Verification]]:
    """The files that could be written, and a verdict on those that could not.

    Raises:
        Exception: The first that came up, if there is no file at all.
    """
    drafts: list[Exported] = []
    unwritten: list[Verification] = []
    errors: list[Exception] = []
    for row, place in zip(rows, places, strict=True):
        draft = Exported(row, workplace / place.name, function)
        try:
            _write(draft.path, row.render(function))
        except OSError:  # no room on the disk is no fault of the target
            raise
        except MissingPackageError as error:
            errors.append(error)
            unwritten.append(draft.verdict("unwritten", str(error)))
        except Exception as error:
            errors.append(error)
            told = str(error) if isinstance(error, ExportError) else repr(error)
            unwritten.append(draft.verdict("failed", f"it cannot be written: {told}"))
        else:
            drafts.append(draft)
    if not drafts:
        raise errors[0]
    return drafts, unwritten


def _timed(result: Verification, function: Function, interpreter: str) -> Verification:
    if result.status != "verified" or result.target not in TIMERS:
        return result
    timings = measure_speed(function.expression, result.target, interpreter=interpreter)
    return replace(result, timings=tuple(timings))


def _places(rows: Sequence[Target], output: Path, name: str) -> list[Path]:
    """Where each file goes."""
    names = [f"{name}{row.suffix}" for row in rows]
    endings = list(dict.fromkeys(Path(each).suffix for each in names))
    # A directory may have a dot in its name too, as that of a version has.
    names_a_file = output.suffix in endings and not output.is_dir()
    if names_a_file and len(rows) > 1:
        raise ExportError(
            f"{output} names a file, but {len(rows)} targets are asked for; name a directory"
        )
    if names_a_file:
        return [output]
    if output.is_file():
        raise ExportError(
            f"{output} is a file that does not end in {' or '.join(endings)}; name a directory, or "
            "for a single target a file that does"
        )
    return [output / each for each in names]


def _write(path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _report(path: Path, function: Function, results: Sequence[Verification]) -> str:
    """The report with the files of earlier exports to the same directory kept in it."""
    files: dict[str, Any] = {}
    if path.exists():
        try:
            document = json.loads(path.read_text())
            files = dict(document["files"]) if document["format"] == REPORT_FORMAT else {}
        except (ValueError, KeyError, TypeError, RecursionError):
            files = {}
    # What is not delivered leaves an earlier file of that name as it is, and what is said of it.
    stays = {name for name in files if (path.parent / name).exists()}
    told = [r for r in results if r.status not in ("failed", "unwritten") or r.file not in stays]
    for result in told:
        files[result.file] = {"expression": str(function.expression), "verifications": []}
    for result in told:
        files[result.file]["verifications"].append(result.to_json())
    document = {"format": REPORT_FORMAT, "files": dict(sorted(files.items()))}
    return json.dumps(document, indent=2) + "\n"
