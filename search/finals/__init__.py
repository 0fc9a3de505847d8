"""Finals: the last, honest comparison of a campaign, planned, held, and read from its journal."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from search.finals.documents import (
    FILE_NAME,
    finals_document,
    finals_rows,
    finals_text,
    write_finals,
)
from search.finals.entrant_results import EntrantResults
from search.finals.practice import LuckOfSearch, LuckOfTest, RivalPractice, rival_practice
from search.finals.results import Card, Finals, finals_in, finals_of
from search.finals.wording import claim, opened, orders, rule_in_force, times, tried, where_it_holds
from search.history import RIVALS, TITLES, Entrant, Ledger, Look, Opening, Plan, Point, Run, Stage

if TYPE_CHECKING:
    from search.finals.holding import Split, hold
    from search.finals.planning import (
        FinalsError,
        Rival,
        check_names,
        check_tasks,
        count_seen,
        count_tried,
        is_same,
        plan_finals,
    )

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
    "count_seen",
    "count_tried",
    "finals_document",
    "finals_text",
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
    "times",
    "tried",
    "where_it_holds",
    "write_finals",
]

# Whoever reads finals, such as a leaderboard, need not wait for what plans and trains them.
_PLACES = {
    **dict.fromkeys(("Split", "hold"), "holding"),
    **dict.fromkeys(
        (
            "FinalsError",
            "Rival",
            "check_names",
            "check_tasks",
            "count_seen",
            "count_tried",
            "is_same",
            "plan_finals",
        ),
        "planning",
    ),
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"search.finals.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
