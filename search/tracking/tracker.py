"""What shows a campaign to people, such as MLflow, and what the mirror asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from search.finals import Finals
from search.history import CandidateRecord, FinishRecord, GenerationRecord, LaunchRecord
from search.history.considered import CandidateRow

Step = Callable[[], None]
"""Part of the work, after which the mirror may rest; doing it again changes nothing."""


@dataclass(frozen=True)
class Shown:
    """The campaign that is shown.

    Attributes:
        name: Its name, which campaigns of other people may have too.
        identity: Tells it from all of them; copies of its folder share it.
    """

    name: str
    identity: str


class Tracker(Protocol):
    """Shows one campaign.

    The mirror tells it of everything in the journal's order, and after a failure of everything
    again: so each method writes what is missing, and nothing twice. Whatever it raises is retried.
    All but the first three methods may be left out by whoever has nothing to show for them.
    """

    def write_launch(self, launch: LaunchRecord) -> None:
        """Writes what the campaign is, and how it was launched last."""
        ...

    def write_candidate(self, record: CandidateRecord) -> None:
        """Writes a candidate with all its evaluations so far."""
        ...

    def write_generations(self, records: Sequence[GenerationRecord]) -> None:
        """Writes the figures of generations."""
        ...

    def write_curves(self, generation: int, records: Sequence[CandidateRecord]) -> None:
        """Writes a picture of candidates of one generation, before it is told of any of them.

        Args:
            generation: In which they were first considered.
            records: Those of which it was told before as well, by id.
        """
        return

    def write_finals(self, finals: Finals, *, begun: float, ended: float) -> Iterator[Step]:
        """Yields what there is to do to write finals that have ended.

        Args:
            finals: As the journal tells of them.
            begun: Seconds since the epoch at which they were planned.
            ended: At which they ended.
        """
        return iter(())

    def write_table(self, rows: Iterable[CandidateRow]) -> None:
        """Writes the table of every candidate, in the columns of `table.COLUMNS`."""
        return

    def write_picture(self, picture: Path, name: str) -> None:
        """Writes a picture under a name that may hold folders."""
        return

    def write_report(self, folder: Path) -> Iterator[Step]:
        """Yields what there is to do to write the report that lies in the folder."""
        return iter(())

    def write_state(self, finish: FinishRecord | None, *, is_running: bool) -> None:
        """Writes whether the campaign runs, was interrupted or has finished."""
        return

    @property
    def is_replaced(self) -> bool:
        """Whether what was written is gone, so that all has to be written again."""
        return False

    def tidy(self) -> None:
        """Does what is worth doing once, when all is written."""
        return

    def close(self) -> None:
        """Lets go of files and connections."""
        return
