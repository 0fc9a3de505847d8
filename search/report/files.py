"""A report as files: the page, its figures and its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from search.drawing import save
from search.report.findings import Findings, read_findings
from search.report.page import panels, render
from search.report.tables import table_json, tables
from search.texts.writing import write_whole

FOLDER: Final = "report"
"""Within the campaign's folder, unless another place is asked for."""

PAGE: Final = "index.html"
FIGURES: Final = "figures"
TABLES: Final = "tables"


def write_report(folder: Path, output: Path | None = None) -> Path:
    """Writes the report of a campaign from its journal alone.

    Args:
        folder: Of the campaign, which may still be running.
        output: Folder to write into, made where it is absent; `report` in the campaign's folder by
            default. Files of other names are left alone.

    Returns:
        The path of the page, which shows everything without the files beside it.

    Raises:
        CandidateNotFoundError: If nothing was discovered yet.
        JournalError: If the journal is damaged.
        OSError: If the folder cannot be written.
    """
    return write_findings(read_findings(folder), folder / FOLDER if output is None else output)


def write_findings(found: Findings, output: Path) -> Path:
    """The same, of what was read already."""
    made = tables(found)
    (output / TABLES).mkdir(parents=True, exist_ok=True)
    for panel in panels(found):
        save(panel, output / FIGURES)
    for name, rows in made.items():
        write_whole(output / TABLES / f"{name}.json", table_json(rows))
    write_whole(output / PAGE, render(found, list(made)))
    return output / PAGE
