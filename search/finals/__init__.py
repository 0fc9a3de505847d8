"""Finals: the last, honest comparison of a campaign, planned, held, and read from its journal."""

from search.finals.documents import FILE_NAME, finals_document, finals_rows, write_finals
from search.finals.entrant_results import EntrantResults
from search.finals.holding import Split, hold
from search.finals.planning import (
    FinalsError,
    Rival,
    check_names,
    check_tasks,
    count_tried,
    is_same,
    plan_finals,
)
from search.finals.practice import LuckOfSearch, LuckOfTest, RivalPractice, rival_practice
from search.finals.results import Card, Finals, finals_in, finals_of
from search.finals.wording import claim, opened, orders, rule_in_force, tried, where_it_holds
from search.history import RIVALS, TITLES, Entrant, Ledger, Look, Opening, Plan, Point, Run, Stage

__all__ = [
    "FILE_NAME",
    "RIVALS",
    "TITLES",
    "Card",
    "Entrant",
    "Finals",
    "FinalsError",
    "Ledger",
    "Look",
    "LuckOfSearch",
    "LuckOfTest",
    "Opening",
    "Plan",
    "Point",
    "RivalPractice",
    "EntrantResults",
    "Rival",
    "Run",
    "Split",
    "Stage",
    "check_names",
    "check_tasks",
    "claim",
    "count_tried",
    "finals_document",
    "finals_rows",
    "finals_in",
    "finals_of",
    "hold",
    "is_same",
    "opened",
    "orders",
    "plan_finals",
    "rival_practice",
    "rule_in_force",
    "tried",
    "where_it_holds",
    "write_finals",
]
