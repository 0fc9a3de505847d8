"""Records: campaigns that somebody stands behind, as small files to be committed."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from search import campaign_copy, finals, hall_of_fame
from search.report import FOLDER, PAGE, Findings, lead, read_findings
from search.report.repeating import commands
from search.report.wording import duration
from search.writing import write_whole

RECORDS: Final = "records"
README: Final = "README.md"

# A record is read, not run: journals, training states and databases stay where they are.
_FILES: Final = (campaign_copy.FILE_NAME, hall_of_fame.FILE_NAME, finals.FILE_NAME)
MAX_FILE_BYTES: Final = 2_000_000


class RecordError(ValueError):
    """A campaign that cannot be put on record as it is."""


def record(folder: Path, records: Path) -> Path:
    """Copies what a campaign came to into `<date>-<name>` under `records`.

    Args:
        folder: Of the campaign; its report is written.
        records: Where records are kept.

    Returns:
        The folder of the record; one of the same campaign and date is replaced.

    Raises:
        RecordError: If the report is not written yet, or a file is too large to be committed.
        CandidateNotFoundError: If the campaign discovered nothing.
    """
    found = read_findings(folder)
    paths = _checked(folder)
    target = records / f"{datetime.fromtimestamp(found.time, UTC):%Y-%m-%d}-{found.name}"
    shutil.rmtree(target, ignore_errors=True)
    for path in paths:
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    write_whole(target / README, readme(found, [path.relative_to(folder) for path in paths]))
    return target


def readme(found: Findings, paths: list[Path]) -> str:
    """What heads a record: the claim, and the command that recomputes each file."""
    head = lead(found)
    meanings = {
        Path(campaign_copy.FILE_NAME): "the campaign file, as it was launched",
        Path(hall_of_fame.FILE_NAME): "the best of the search; written by `actsearch launch`",
        Path(finals.FILE_NAME): "every figure of the finals; written by `actsearch finals`",
        Path(FOLDER, PAGE): "the report; written by `actsearch report`, as are all files beside it",
    }
    rows = [f"| `{path}` | {meanings[path]} |" for path in paths if path in meanings]
    dataset = found.launched["dataset"]
    lines = [
        f"# {found.name}: {head.title}",
        *(line for sentence in head.sentences for line in ("", sentence)),
        "",
        f"Searched for {duration(found.seconds)} on {dataset['name']} ({dataset['source']}). The "
        "same settings, versions and data give the same figures:",
        "",
        *(f"    {command}" for command in commands(found).splitlines()),
        "",
        "| file | what it holds |",
        "|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _checked(folder: Path) -> list[Path]:
    """The files of a record."""
    if not (folder / FOLDER / PAGE).is_file():
        raise RecordError(
            f"{folder} holds no report yet; `actsearch report {folder.name}` writes it"
        )
    report = sorted(path for path in (folder / FOLDER).rglob("*") if path.is_file())
    paths = [path for name in _FILES if (path := folder / name).is_file()] + report
    for path in paths:
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            raise RecordError(
                f"{path} has {size:,} bytes; at most {MAX_FILE_BYTES:,} belong into a record"
            )
    return paths
