"""What the methods of a campaign return, readable where it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from grammars.export import Verification
from search.finals import Finals, RivalPractice, claim, opened, tried
from search.history import History
from search.history.considered import COLUMNS, candidate_row
from search.standings.leaderboard import LeaderboardRow
from search.texts.rates import has_rates

if TYPE_CHECKING:
    from pandas import DataFrame

_APART: Final = ("rank", "candidate_id", "tasks")

# The order in which people read them; whatever else a row has follows.
_FIRST: Final = ("expression", "name", "origin", "score", "validation_loss", "validation_accuracy")


def leaderboard_frame(rows: Sequence[LeaderboardRow]) -> DataFrame:
    """A table of rows of a leaderboard, their rank the index; see `Campaign.leaderboard`."""
    from pandas import DataFrame, Index

    names = [each.name for each in fields(LeaderboardRow) if each.name not in _APART]
    columns = [*_FIRST, *(name for name in names if name not in _FIRST), "candidate_id"]
    frame = DataFrame([[getattr(row, name) for name in columns] for row in rows], columns=columns)
    tasks = dict.fromkeys(each.task for row in rows for each in row.tasks)
    is_rated = any(has_rates(row.tasks) for row in rows)
    for task in tasks:
        found = [next((each for each in row.tasks if each.task == task), None) for row in rows]
        frame[f"score on {task}"] = [each and each.score for each in found]
        frame[f"advantage on {task}"] = [each and each.advantage for each in found]
        if is_rated:
            frame[f"learning rate on {task}"] = [each and each.learning_rate for each in found]
    return frame.set_index(Index([row.rank for row in rows], name="rank"))


def candidates_frame(history: History) -> DataFrame:
    """A table of all candidates, their ids the index; see `Campaign.candidates`."""
    from pandas import DataFrame

    rows = map(candidate_row, history.candidates.values())
    return DataFrame(rows, columns=COLUMNS).set_index("candidate_id")


@dataclass(frozen=True, repr=False)
class FinalsHeld:
    """Finals as they stand.

    Attributes:
        finals: None where they were interrupted before anything was planned.
        practice: What choosing the luckiest would have claimed.
        interrupted: Whether they can go on.
    """

    finals: Finals | None
    practice: RivalPractice | None
    interrupted: bool

    def __repr__(self) -> str:
        if self.finals is None or self.interrupted:
            return "Finals that were interrupted; held again, they go on"
        return f"Finals: {claim(self.finals)} {tried(self.finals)} {opened(self.finals)}"


class Exports(tuple[Verification, ...]):
    """The files that were written, each with what came of running it in its framework."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(str, self))
