"""The report of a campaign: one page to look at, with its figures and tables as files."""

from search.report.claim import Lead, lead
from search.report.files import FIGURES, FOLDER, PAGE, TABLES, write_findings, write_report
from search.report.findings import Findings, read_findings

__all__ = [
    "FIGURES",
    "FOLDER",
    "PAGE",
    "TABLES",
    "Findings",
    "Lead",
    "lead",
    "read_findings",
    "write_findings",
    "write_report",
]
