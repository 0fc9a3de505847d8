"""Brings one campaign's place in a tracker into step with its journal, from whatever is there."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from grammars import Layered, parse_activation
from search.drawing import draw_functions, draw_progress
from search.finals import finals_of
from search.history import (
    CandidateRecord,
    Evaluated,
    GenerationEnded,
    History,
    LaunchRecord,
    Polished,
    SearchEnded,
    Told,
    read,
)
from search.history.considered import candidate_rows
from search.journal.campaign_folder import located
from search.journal.journal import Journal
from search.tracking import names
from search.tracking.destination import Destination
from search.tracking.store import TrackingError, exclusive
from search.tracking.tracker import Shown, Step, Tracker
from search.tracking.trackers import open_tracker

CandidateRuns = Literal["all", "promoted", "none"]

LOCK: Final = "mirror.lock"
EVENTS_A_CHUNK: Final = 256
# Within a generation most of those who climb do so; written at its end, each is written once.
HELD_BACK_SECONDS: Final = 20.0


class Replica:
    """One campaign in one tracker, brought into step with the journal when told to.

    The journal alone decides what is written, in steps that change nothing when they are repeated.
    A step that fails is the first one of the next attempt. After `forget` everything is read anew,
    from the journal and from the store, and what is missing is written: so it does not matter
    whether the store was busy, was deleted, or the process was killed between two writes.
    """

    def __init__(
        self,
        journal_path: Path,
        *,
        destination: Destination,
        candidate_runs: CandidateRuns | None,
        campaign_dir: Path,
    ) -> None:
        self._journal_path = journal_path
        self._destination = destination
        self._candidate_runs = candidate_runs
        self._campaign_dir = located(campaign_dir)
        self._resources = ExitStack()
        self._tracker: Tracker | None = None
        self._begin_anew()
        self.complete_to = 0
        """Sequence of the event up to which the store is known to hold everything."""

    def _begin_anew(self) -> None:
        self._history = History()
        self._steps: deque[Step] = deque()
        # By id, in the order of the journal: who is to be written.
        self._changed: dict[str, None] = {}
        self._next_flush = 0.0
        self._finals_written: set[int] = set()
        # Ids of those that have runs, by generation.
        self._shown: defaultdict[int, set[str]] = defaultdict(set)

    def advance(self, *, after_write: Callable[[float], None], is_running: bool) -> None:
        """Writes what the journal holds and the store does not.

        Args:
            after_write: Called with the seconds of processor time that each step took; it may rest,
                or raise to end the work between two steps.
            is_running: Whether the campaign is running now.
        """
        if self._tracker is not None and self._tracker.is_replaced:
            self.forget()
            self.complete_to = 0
        self._work(after_write)
        with Journal(self._journal_path, read_only=True) as journal:
            told = read(journal, after=self._history.position)
            while chunk := list(islice(told, EVENTS_A_CHUNK)):
                with self._all_or_nothing():
                    self._plan(chunk, identity=journal.identity, is_running=is_running)
                self._work(after_write)
        if self._changed and (not is_running or time.monotonic() >= self._next_flush):
            self._plan_candidates()
            self._work(after_write)
        if not self._changed:
            self.complete_to = max(self.complete_to, self._history.position)

    def summarise(self, *, after_write: Callable[[float], None], is_running: bool) -> None:
        """Writes the table of every candidate, the pictures, the report and the state."""
        tracker = self._tracker
        if tracker is None:
            return
        rows = candidate_rows(self._history.candidates.values())
        self._steps.append(partial(tracker.write_table, rows))
        self._steps += self._pictures(tracker)
        report = self._campaign_dir / names.REPORT
        if not is_running and report.is_dir():
            self._steps += tracker.write_report(report)
        finish = self._history.finish
        self._steps.append(partial(tracker.write_state, finish, is_running=is_running))
        if not is_running:
            self._steps.append(tracker.tidy)
        self._work(after_write)

    def say_stopped(self) -> bool:
        """Writes that the campaign does not run any more; whether there is a place for it yet."""
        if self._tracker is None:
            return False
        self._tracker.write_state(None, is_running=False)
        return True

    def forget(self) -> None:
        """Lets go of the store and of all that is believed about it; `advance` begins anew."""
        self._tracker = None
        self._begin_anew()
        self._resources.close()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.forget()
            raise

    def _work(self, after_write: Callable[[float], None]) -> None:
        while self._steps:
            # A store far away costs time, but not of ours: others may have the processor meanwhile.
            started = time.thread_time()
            self._steps[0]()
            self._steps.popleft()
            after_write(time.thread_time() - started)

    def _plan(self, chunk: Iterable[Told], *, identity: str, is_running: bool) -> None:
        """Notes what there is to do about some events."""
        history = self._history
        launch, wanted, known = history.launch, self._wanted_runs, len(history.generations)
        is_over = not is_running
        for told in chunk:
            history.add(told)
            is_over |= isinstance(told.event, GenerationEnded | SearchEnded | Polished)
            if isinstance(told.event, Evaluated):
                self._changed[told.event.evaluation.candidate_id] = None
        if self._tracker is None or history.launch is not launch:
            self._steps.append(partial(self._write_launch, identity, is_running=is_running))
        if self._wanted_runs != wanted:  # a later launch may want runs of more candidates
            self._changed = {key: None for key, each in history.candidates.items() if each.rungs}
        if is_over:
            self._plan_candidates()
        if new := history.generations[known:]:
            self._steps.append(lambda: self._place.write_generations(new))
        for number, ending in history.finals.endings.items():
            if number not in self._finals_written:
                self._finals_written.add(number)
                self._steps.append(partial(self._plan_finals, number, ending.time))

    def _plan_candidates(self) -> None:
        generations, candidates = set(), []
        for candidate_id in self._changed:
            record = self._history.candidates.get(candidate_id)
            if record is not None and self._has_run(record):
                candidates.append(candidate_id)
                self._shown[record.candidate.generation].add(candidate_id)
                generations.add(record.candidate.generation)
        # Pictures first: whoever finds a candidate's run finds its picture.
        self._steps += [partial(self._write_curves, each) for each in sorted(generations)]
        self._steps += [partial(self._write_candidate, each) for each in candidates]
        self._changed = {}
        self._next_flush = time.monotonic() + HELD_BACK_SECONDS

    def _write_candidate(self, candidate_id: str) -> None:
        self._place.write_candidate(self._history.candidates[candidate_id])

    def _write_curves(self, generation: int) -> None:
        records = [self._history.candidates[key] for key in sorted(self._shown[generation])]
        self._place.write_curves(generation, records)

    def _plan_finals(self, number: int, ended: float) -> None:
        ledger = self._history.finals
        finals = finals_of(ledger, ledger.plans[number])
        # As it was then, so that a store that is rebuilt after further finals says the same.
        openings = tuple(each for each in finals.openings if each.finals <= number)
        finals = replace(finals, openings=openings)
        self._steps += self._place.write_finals(finals, begun=ledger.begun[number], ended=ended)

    def _write_launch(self, identity: str, *, is_running: bool) -> None:
        launch = self._history.launch
        if launch is None:
            raise TrackingError(
                f"{self._journal_path} does not begin with the settings of a campaign, so there is "
                "nothing to mirror; launch the campaign first"
            )
        if self._tracker is None:
            self._tracker = self._open(launch, identity)
        self._tracker.write_launch(launch)
        if is_running:
            self._tracker.write_state(None, is_running=True)

    def _open(self, launch: LaunchRecord, identity: str) -> Tracker:
        with ExitStack() as opened:
            try:
                opened.enter_context(exclusive(self._lock, wait=False))
            except BlockingIOError:
                raise TrackingError(
                    f"another process is mirroring {self._campaign_dir.name} to MLflow now; wait "
                    "for it, or stop it"
                ) from None
            shown = Shown(self._campaign_dir.name, identity)
            tracker = opened.enter_context(closing(open_tracker(self._destination, shown, launch)))
            self._resources = opened.pop_all()
        return tracker

    @property
    def _lock(self) -> Path:
        """A campaign may be shown in several stores, and in each by one process at a time."""
        destination = self._destination
        name = LOCK if destination.uri is None else f"mirror-{destination.digest}.lock"
        return self._journal_path.resolve().parent / name

    @property
    def _place(self) -> Tracker:
        """The campaign's place, which the first step of all has opened."""
        assert self._tracker is not None
        return self._tracker

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

    def _pictures(self, tracker: Tracker) -> Iterator[Step]:
        """What can be drawn so far."""
        generations = self._history.generations
        if not generations:
            return
        summaries = [asdict(record.summary) for record in generations]
        yield partial(_show, tracker, names.PROGRESS_PICTURE, partial(draw_progress, summaries))
        if expression := generations[-1].summary.best_expression:
            best = parse_activation(expression)
            functions = best.by_layer_name if isinstance(best, Layered) else {"best so far": best}
            drawing = partial(draw_functions, functions)
            yield partial(_show, tracker, names.FUNCTIONS_PICTURE, drawing)


def _show(tracker: Tracker, name: str, draw: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, Path(name).name)
        draw(picture)
        tracker.write_picture(picture, name)
