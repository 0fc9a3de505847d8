"""Shows a campaign in MLflow: its run, its candidates' runs, its finals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from search.finals import Finals
from search.history import CandidateRecord, FinishRecord, GenerationRecord, LaunchRecord
from search.history.considered import CandidateRow
from search.tracking.candidate_table import table_csv, table_json
from search.tracking.destination import Destination
from search.tracking.experiments import Experiments
from search.tracking.finals_pages import FinalsPages
from search.tracking.opening import open_store
from search.tracking.pages import CampaignPages
from search.tracking.tracker import Shown, Step, Tracker


class MLflowTracker(Tracker):
    """One campaign in an MLflow store."""

    def __init__(self, destination: Destination, shown: Shown, launch: LaunchRecord) -> None:
        """Opens the store, and finds or makes the campaign's run."""
        self._campaign = shown.name
        self._store = open_store(destination)
        try:
            self._experiments = Experiments(self._store, shown, prefix=destination.prefix)
            self._pages = CampaignPages(self._store.client, self._experiments, shown.name, launch)
        except BaseException:
            self._store.close()
            raise
        self._finals: FinalsPages | None = None

    def write_launch(self, launch: LaunchRecord) -> None:
        """Writes settings, versions, data set and campaign file."""
        self._pages.write_campaign(launch)

    def write_candidate(self, record: CandidateRecord) -> None:
        """Writes a candidate as a run of its own."""
        self._pages.write_candidate(record)

    def write_generations(self, records: Sequence[GenerationRecord]) -> None:
        """Writes the figures of generations as metrics of the campaign's run."""
        self._pages.write_generations(records)

    def write_curves(self, generation: int, records: Sequence[CandidateRecord]) -> None:
        """Writes their curves as an artifact of the campaign's run."""
        self._pages.write_curves(generation, records)

    def write_finals(self, finals: Finals, *, begun: float, ended: float) -> Iterator[Step]:
        """Yields the writing of a run for the finals, and one for each function and task."""
        if self._finals is None:
            self._finals = FinalsPages(self._store.client, self._experiments, self._campaign)
        yield from self._finals.writes(finals, begun=begun, ended=ended)

    def write_table(self, rows: Iterable[CandidateRow]) -> None:
        """Writes it as the JSON that the UI shows, and as CSV."""
        listed = list(rows)
        self._pages.write_table(as_json=table_json(listed), as_csv=table_csv(listed))

    def write_picture(self, picture: Path, name: str) -> None:
        """Writes a picture as an artifact of the campaign's run."""
        self._pages.write_picture(picture, name)

    def write_report(self, folder: Path) -> Iterator[Step]:
        """Yields the writing of a report as artifacts of the campaign's run."""
        return self._pages.write_report(folder)

    def write_state(self, finish: FinishRecord | None, *, is_running: bool) -> None:
        """Writes the state of the campaign's run."""
        self._pages.write_state(finish, is_running=is_running)

    @property
    def is_replaced(self) -> bool:
        """Whether the database file was deleted or exchanged."""
        return self._store.is_replaced

    def tidy(self) -> None:
        """Makes sorting in the UI fast, and sees to it that nothing is there twice."""
        if self._store.is_shared:
            self._pages.remove_doubles()
        self._store.analyze()

    def close(self) -> None:
        """Lets go of the store."""
        self._store.close()
