"""Records: campaigns that somebody stands behind, as small files to be committed."""

from __future__ import annotations

import lzma
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evaluators.statistics.comparison import listed
from search import finals
from search.candidates import hall_of_fame
from search.journal.journal import FILE_NAME as JOURNAL
from search.journal.packing import PACKED, packed
from search.launching import campaign_copy
from search.report import (
    FIGURES,
    FOLDER,
    PAGE,
    TABLES,
    Findings,
    lead,
    read_findings,
    write_findings,
)
from search.report.repeating import commands
from search.report.wording import day, duration
from search.texts.commands import command
from search.texts.markdown import code, plain
from search.texts.writing import write_whole

RECORDS: Final = "records"
README: Final = "README.md"

# A record is read, not run: training states and databases stay where they are, and so does the
# journal unless it is asked for.
_COPY: Final = campaign_copy.FILE_NAME
_FILES: Final = (_COPY, hall_of_fame.FILE_NAME)
# Thousands of training runs, most of whose text is alike.
_COMPRESSED_FINALS: Final = f"{finals.FILE_NAME}.xz"
MAX_FILE_BYTES: Final = 2_000_000


class RecordError(ValueError):
    """A campaign that cannot be put on record as it is."""


def record(folder: Path, records: Path, *, journal: bool = False) -> Path:
    """Keeps what a campaign came to in `<date>-<name>` under `records`.

    The claim, the report and the finals are what the journal says now, whatever was written into
    the campaign's folder before; nothing is written there, and nothing is trained.

    Args:
        folder: Of the campaign.
        records: Where records are kept.
        journal: Whether its journal is kept as well, compressed, so that others can go on with it.

    Returns:
        The folder of the record; one of the same campaign and date is replaced.

    Raises:
        RecordError: If a file is too large to be committed.
        CandidateNotFoundError: If the campaign discovered nothing.
    """
    found = read_findings(folder)
    target = records / f"{datetime.fromtimestamp(found.launch.time, UTC):%Y-%m-%d}-{found.name}"
    contents = dict(_contents(folder, found))
    if journal:
        contents[Path(PACKED)] = packed(folder / JOURNAL)
    for place, content in contents.items():
        if len(content) > MAX_FILE_BYTES:
            raise RecordError(
                f"{place} has {len(content):,} bytes; at most {MAX_FILE_BYTES:,} belong into a "
                "record"
            )
    shutil.rmtree(target, ignore_errors=True)
    for place, content in contents.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        (target / place).write_bytes(content)
    write_whole(target / README, readme(found, list(contents)))
    return target


def readme(found: Findings, paths: list[Path]) -> str:
    """What heads a record: the claim, and the command that recomputes each figure."""
    head = lead(found)
    rows = [
        f"| `{path}` | {meaning} | {code(command) if command else ''} |"
        for path, meaning, command in _meanings(found.name)
        if Path(path) in paths or any(Path(path) in each.parents for each in paths)
    ]
    dataset, tasks = found.launch.dataset, found.launch.tasks
    on = f"{dataset.name} ({dataset.source})" if len(tasks) == 1 else listed(tasks)
    lines = [
        f"# {plain(f'{found.name}: {head.title}')}",
        *(line for sentence in head.sentences for line in ("", plain(sentence))),
        "",
        f"Launched on {day(found.launch.time)}; searched for {duration(found.seconds)} on "
        + plain(f"{on}. {_ended(found)} in this folder:"),
        "",
        *(f"    {line}" for line in commands(found, campaign_file=_COPY).splitlines()),
        "",
        "| file | what it holds | computed by |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _meanings(name: str) -> list[tuple[str, str, str]]:
    """The files of a record, what they hold, and the command that computes it; "" for none."""
    report = command("report", name)
    return [
        (_COPY, "the campaign file, as it was launched", ""),
        (
            hall_of_fame.FILE_NAME,
            "the best of the search, by their validation score",
            command("leaderboard", name),
        ),
        (
            _COMPRESSED_FINALS,
            "every figure of the finals, and each training run that it comes from; `xz -dc` shows "
            "it",
            command("finals", name, "--json"),
        ),
        (
            PACKED,
            f"the campaign itself; unpacked to `runs/{name}/{JOURNAL}` it can be gone on with",
            command("record", name, "--journal"),
        ),
        (f"{FOLDER}/{PAGE}", "the report", report),
        (f"{FOLDER}/{FIGURES}", "its figures as PNG and SVG", report),
        (f"{FOLDER}/{TABLES}", "the tables behind it", report),
    ]


def _ended(found: Findings) -> str:
    """Why the search ended, and what that means for whoever repeats it."""
    if found.ending is None:
        return "It has not ended. The same settings, versions and data give the same figures;"
    how_far = ""
    if "minutes" in found.ending:
        how_far = " How far it gets in them depends on the machine."
    return (
        f"It ended because {found.ending}.{how_far} The same settings, versions and data give the "
        "same figures;"
    )


def _contents(folder: Path, found: Findings) -> Iterator[tuple[Path, bytes]]:
    """What the files of a record hold, by their places in it."""
    for name in _FILES:
        if (path := folder / name).is_file():
            yield Path(name), path.read_bytes()
    if found.finals is not None and found.finals.ended is not None:
        whole = f"{finals.finals_text(found.finals)}\n"
        yield Path(_COMPRESSED_FINALS), lzma.compress(whole.encode(errors="backslashreplace"))
    # Beside the claim stands what it is read from, and no report of before.
    with tempfile.TemporaryDirectory(prefix="actsearch-report-") as passing:
        report = Path(passing)
        write_findings(found, report)
        for path in sorted(report.rglob("*")):
            if path.is_file():
                yield FOLDER / path.relative_to(report), path.read_bytes()
