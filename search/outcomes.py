"""What the methods of a campaign return, readable where it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, overload

from grammars.export import Verification
from search.finals import Finals, RivalPractice, claim, opened, tried
from search.leaderboard import LeaderboardRow

_SHOWN: Final = 20
_HEADINGS: Final = ("rank", "expression", "origin", "score", "accuracy", "size", "trained")


class Leaderboard(Sequence[LeaderboardRow]):
    """All that was scored, best first, the baselines among them."""

    def __init__(self, rows: Sequence[LeaderboardRow]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> LeaderboardRow: ...

    @overload
    def __getitem__(self, index: slice) -> Leaderboard: ...

    def __getitem__(self, index: int | slice) -> LeaderboardRow | Leaderboard:
        if isinstance(index, slice):
            return Leaderboard(self._rows[index])
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        cells = [_HEADINGS, *map(_cells, self._rows[:_SHOWN])]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([*lines, *self._rest()])

    def _repr_html_(self) -> str:
        """For notebooks."""
        head = "".join(f"<th>{heading}</th>" for heading in _HEADINGS)
        rows = (
            "".join(f"<td>{escape(text)}</td>" for text in _cells(row))
            for row in self._rows[:_SHOWN]
        )
        body = "".join(f"<tr>{cells}</tr>" for cells in rows)
        rest = "".join(f"<p>{line}</p>" for line in self._rest())
        return f"<table><tr>{head}</tr>{body}</table>{rest}"

    def _rest(self) -> list[str]:
        more = len(self._rows) - _SHOWN
        return [f"and {more} more"] if more > 0 else []


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
        return f"Finals: {claim(self.finals)} {tried(self.finals.plan)} {opened(self.finals)}"


class Exports(tuple[Verification, ...]):
    """The files that were written, each with what came of running it in its framework."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(str, self))


def _cells(row: LeaderboardRow) -> tuple[str, ...]:
    return (
        str(row.rank),
        row.expression if row.name is None else f"{row.name} = {row.expression}",
        row.origin,
        f"{row.score:.4f}",
        f"{100 * row.validation_accuracy:.2f} %",
        str(row.size),
        f"{row.steps} x {row.seeds}",
    )
