"""Finals: the last, honest comparison of a campaign, planned, held, and read from its journal."""

from search.finals.documents import FILE_NAME, finals_document, write_finals
from search.finals.plan import RIVALS, TITLES, Entrant, Plan, Stage
from search.finals.records import Ledger, Look, Opening, Point, Run, read_ledger
from search.finals.results import Card, Finals, Row, finals_of, read_finals
from search.finals.wording import claim, opened, rule_in_force, tried, where_it_holds

__all__ = [
    "FILE_NAME",
    "RIVALS",
    "TITLES",
    "Card",
    "Entrant",
    "Finals",
    "Ledger",
    "Look",
    "Opening",
    "Plan",
    "Point",
    "Row",
    "Run",
    "Stage",
    "claim",
    "finals_document",
    "finals_of",
    "opened",
    "read_finals",
    "read_ledger",
    "rule_in_force",
    "tried",
    "where_it_holds",
    "write_finals",
]
