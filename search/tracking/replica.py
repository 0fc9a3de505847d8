"""Brings one campaign's place in MLflow into step with its journal, from whatever is there."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from grammars import Layered, parse_activation
from search.campaign_folder import located
from search.drawing import draw_functions, draw_progress
from search.finals import finals_of
from search.history import CandidateRecord, Evaluated, History, Told, read
from search.journal import Journal
from search.tracking import names
from search.tracking.finals_pages import FinalsPages
from search.tracking.pages import CampaignPages
from search.tracking.store import Store, TrackingError, exclusive
from search.tracking.table import candidate_rows, table_csv, table_json

CandidateRuns = Literal["all", "promoted", "none"]

LOCK: Final = "mirror.lock"
EVENTS_A_CHUNK: Final = 256


class Replica:
    """One campaign in one store, brought into step with the journal when told to.

    The journal alone decides what is written. After any failure everything is read anew, from the
    journal and from the store, and what is missing is written: so it does not matter whether the
    store was busy, was deleted, or the process was killed between two writes.
    """

    def __init__(
        self,
        journal_path: Path,
        *,
        store: Path,
        candidate_runs: CandidateRuns | None,
        campaign_dir: Path,
    ) -> None:
        self._journal_path = journal_path
        self._runs_dir = store
        self._candidate_runs = candidate_runs
        self._campaign_dir = located(campaign_dir)
        self._resources = ExitStack()
        self._store: Store | None = None
        self._pages: CampaignPages | None = None
        self._finals: FinalsPages | None = None
        self._finals_written: set[int] = set()
        self._history = History()
        self.complete_to = 0
        """Sequence of the event up to which the store is known to hold everything."""

    def advance(self, *, after_write: Callable[[float], None], is_running: bool) -> None:
        """Writes what the journal holds and the store does not.

        Args:
            after_write: Called with the seconds that each write took; it may rest, or raise to
                end the work between two writes.
            is_running: Whether the campaign is running now.
        """
        if self._store is not None and self._store.is_replaced:
            self.forget()
            self.complete_to = 0
        with Journal(self._journal_path, read_only=True) as journal:
            told = read(journal, after=self._history.position)
            while chunk := list(islice(told, EVENTS_A_CHUNK)):
                self._write(chunk, after_write=after_write, is_running=is_running)
                self.complete_to = max(self.complete_to, self._history.position)

    def summarise(self, *, is_running: bool) -> None:
        """Writes the table of every candidate, the pictures, the report and the state."""
        if self._pages is None:
            return
        rows = candidate_rows(self._history.candidates.values())
        self._pages.write_table(as_json=table_json(rows), as_csv=table_csv(rows))
        with tempfile.TemporaryDirectory() as folder:
            for artifact in self._draw(Path(folder)):
                self._pages.write_picture(Path(folder) / artifact, artifact)
        report = self._campaign_dir / names.REPORT
        if not is_running and report.is_dir():
            self._pages.write_report(report)
        self._pages.write_state(self._history.finish, is_running=is_running)

    def say_stopped(self) -> bool:
        """Writes that the campaign does not run any more; whether there is a place for it yet."""
        if self._pages is None:
            return False
        self._pages.write_state(None, is_running=False)
        return True

    def analyze(self) -> None:
        """Makes sorting in the UI fast."""
        if self._store is not None:
            self._store.analyze()

    def forget(self) -> None:
        """Lets go of the store and of all that is believed about it; `advance` begins anew."""
        self._store = None
        self._pages = None
        self._finals = None
        self._finals_written = set()
        self._history = History()
        self._resources.close()

    def _write(
        self, chunk: Iterable[Told], *, after_write: Callable[[float], None], is_running: bool
    ) -> None:
        launch, wanted = self._history.launch, self._wanted_runs
        generations = len(self._history.generations)
        changed: dict[str, None] = {}
        for told in chunk:
            self._history.add(told)
            if isinstance(told.event, Evaluated):
                changed[told.event.evaluation.candidate_id] = None
        if self._pages is None or self._history.launch is not launch:
            self._write_launch(is_running=is_running)
        if self._wanted_runs != wanted:  # a later launch may want runs of more candidates
            changed = {key: None for key, each in self._history.candidates.items() if each.rungs}
        for write in self._writes(changed, generations):
            started = time.monotonic()
            write()
            after_write(time.monotonic() - started)

    def _writes(self, changed: Iterable[str], generations: int) -> Iterator[Callable[[], None]]:
        pages = self._pages
        assert pages is not None
        for candidate_id in changed:
            record = self._history.candidates.get(candidate_id)
            if record is not None and self._has_run(record):
                yield partial(pages.write_candidate, record)
        if new := self._history.generations[generations:]:
            yield partial(pages.write_generations, new)
        for number, ending in self._history.finals.endings.items():
            if number not in self._finals_written:
                yield from self._write_finals(number, ending.time)

    def _write_finals(self, number: int, ended: float) -> Iterator[Callable[[], None]]:
        ledger = self._history.finals
        assert self._store is not None
        if self._finals is None:
            self._finals = FinalsPages(self._store, self._campaign_dir.name)
        plan = ledger.plans[number]
        finals = finals_of(ledger, plan)
        # As it was then, so that a store that is rebuilt after further finals says the same.
        openings = tuple(each for each in finals.openings if each.finals <= number)
        finals = replace(finals, openings=openings)
        yield from self._finals.writes(finals, begun=ledger.begun[number], ended=ended)
        self._finals_written.add(number)

    def _write_launch(self, *, is_running: bool) -> None:
        launch = self._history.launch
        if launch is None:
            raise TrackingError(
                f"{self._journal_path} does not begin with the settings of a campaign, so there is "
                "nothing to mirror; launch the campaign first"
            )
        if self._pages is None:
            self._store = self._open_store()
            self._pages = CampaignPages(self._store, self._campaign_dir.name, launch)
        self._pages.write_campaign(launch)
        if is_running:
            self._pages.write_state(None, is_running=True)

    def _open_store(self) -> Store:
        try:
            self._resources.enter_context(exclusive(self._campaign_dir / LOCK, wait=False))
        except BlockingIOError:
            raise TrackingError(
                f"another process is mirroring {self._campaign_dir.name} to MLflow now; wait for "
                "it, or stop it"
            ) from None
        return self._resources.enter_context(Store(self._runs_dir))

    @property
    def _wanted_runs(self) -> str:
        """Which candidates get a run, as the campaign was launched last."""
        launch = self._history.launch
        tracking = launch.settings.get("tracking", {}) if launch else {}
        return str(self._candidate_runs or tracking.get("candidate_runs", "promoted"))

    def _has_run(self, record: CandidateRecord) -> bool:
        match self._wanted_runs:
            case "all":
                return True
            case "promoted":
                return record.is_promoted or record.is_baseline
            case _:
                return False

    def _draw(self, folder: Path) -> Iterator[str]:
        """Draws what can be drawn so far into the folder; yields each picture's artifact path."""
        (folder / "pictures").mkdir()
        generations = self._history.generations
        if not generations:
            return
        summaries = [record.summary for record in generations]
        draw_progress(list(map(asdict, summaries)), folder / names.PROGRESS_PICTURE)
        yield names.PROGRESS_PICTURE
        if expression := summaries[-1].best_expression:
            best = parse_activation(expression)
            functions = best.by_place if isinstance(best, Layered) else {"best so far": best}
            draw_functions(functions, folder / names.FUNCTIONS_PICTURE)
            yield names.FUNCTIONS_PICTURE
