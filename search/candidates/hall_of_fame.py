"""The best seen so far, kept in a file that stays current while a campaign runs."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from search.candidates.novelty import novelty
from search.candidates.racing import Standing, ranked
from search.texts.writing import write_whole

FILE_NAME: Final = "hall_of_fame.csv"

_COLUMNS: Final = (
    "rank",
    "candidate_id",
    "expression",
    "score",
    "validation_loss",
    "validation_accuracy",
    "rung",
    "steps",
    "seeds",
    "size",
    "generation",
    "novelty",
)


class HallOfFame:
    """The best `capacity` candidates by rung and score, ties broken by id.

    Attributes:
        is_current: Not while a campaign that is run again is behind what its journal holds; its
            file, which is ahead, stays as it is until then.
    """

    def __init__(self, *, capacity: int = 50) -> None:
        self.is_current = True
        self._capacity = capacity
        self._standings: dict[str, Standing] = {}
        self._novelties: dict[str, str] = {}
        self._writing = threading.Lock()

    def add(self, standings: Iterable[Standing]) -> bool:
        """Takes in new or changed standings; whether the best one is another than before."""
        before = self.best
        new = {standing.candidate.id: standing for standing in standings}
        kept = ranked((self._standings | new).values())[: self._capacity]
        # In one step, since another thread may be reading.
        self._standings = {standing.candidate.id: standing for standing in kept}
        return self.best is not before

    @property
    def best(self) -> Standing | None:
        """The leader, None as long as nothing was scored."""
        return next(iter(self._standings.values()), None)

    @property
    def standings(self) -> list[Standing]:
        """Best first."""
        return list(self._standings.values())

    def look_up_novelty(self, *, stopping: threading.Event, of: int | None = None) -> bool:
        """Looks up what is known of the best; may take up to a second for each that is new.

        Args:
            stopping: Ends it between two of them.
            of: How many of the best, None for all.

        Returns:
            Whether anything was found out that the file does not say yet.
        """
        found = False
        for standing in self.standings[:of]:
            candidate = standing.candidate
            if stopping.is_set():
                break
            if candidate.id not in self._novelties:
                self._novelties[candidate.id] = novelty(candidate.canonical)
                found = True
        return found

    def write(self, folder: Path) -> None:
        """Writes `hall_of_fame.csv`, whole or not at all, if this is current; from any thread."""
        if not self.is_current:
            return
        with self._writing:
            write_whole(folder / FILE_NAME, self._table())

    def _table(self) -> str:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(_COLUMNS)
        for rank, standing in enumerate(self.standings, 1):
            candidate, evaluation = standing.candidate, standing.evaluation
            table.writerow(
                [
                    rank,
                    candidate.id,
                    candidate.expression,
                    evaluation.score,
                    evaluation.validation_loss,
                    evaluation.validation_accuracy,
                    standing.rung,
                    evaluation.fidelity.steps,
                    len(evaluation.fidelity.seeds),
                    candidate.expression.size,
                    candidate.generation,
                    # Empty as long as nobody has looked.
                    self._novelties.get(candidate.id, ""),
                ]
            )
        return text.getvalue()
