"""Sets a campaign up in its folder, runs it there, and keeps others out meanwhile."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluators.datasets import load
from evaluators.file_locks import locked
from grammars import Grammar, load_grammar
from search.campaign import STOPPED, Ending, Loop, Observer
from search.campaign_copy import keep_copy
from search.campaign_folder import located
from search.campaign_tasks import campaign_tasks
from search.commands import command
from search.drawing import draw_front
from search.executors import (
    Executor,
    ExecutorName,
    Workload,
    dry_run,
    local_cores,
    start_executor,
)
from search.finals import check_tasks
from search.finishing import Finishing
from search.generation import GenerationSummary
from search.hall_of_fame import HallOfFame
from search.identity import identify, recorded_settings
from search.journal import FILE_NAME, Journal
from search.leaderboard import standings
from search.novelty_watch import NoveltyWatch
from search.racing import Standing
from search.screening import Screening, screening_of
from search.settings import FinalsSettings, Settings
from search.signals import HurriedError, Notice, stopped_by_signals
from search.strategies.seeds import read_seeds
from search.tracking import Mirror, check_place
from search.work import SEARCH, Work

FRONT_PICTURE: Final = "front.png"
_LOCK_FILE: Final = "lock"
_STATES: Final = "states"

# How long the end of a campaign waits for its mirror; not at all where it was to stop now.
MIRROR_SECONDS: Final = 120.0


class CampaignBusyError(ValueError):
    """Another process is running the campaign."""


@dataclass(frozen=True)
class Launch:
    """What a launch of a campaign came to.

    Attributes:
        folder: The campaign's folder.
        reason: Why it ended.
        interrupted: Whether it stopped before its end and can go on.
    """

    folder: Path
    reason: str
    interrupted: bool


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Holds the campaign's lock, which the system drops however the process ends.

    Raises:
        CampaignBusyError: If another process holds it.
        LocksUnsupportedError: If the folder's file system has no locks.
    """
    with ExitStack() as lock:
        try:
            lock.enter_context(locked(folder / _LOCK_FILE, wait=False))
        except BlockingIOError:
            raise CampaignBusyError(
                f"the campaign in {folder} is running in another process; wait for it or stop it"
            ) from None
        yield


def launch(
    settings: Settings,
    *,
    campaign_file: str,
    runs_dir: Path,
    workers: int | None,
    manual_dir: Path | None = None,
    executor: ExecutorName = "processes",
    gpus_per_worker: float = 0.0,
    observers: Sequence[Observer] = (),
    announce: Callable[[str], None] = lambda text: None,
    stopping: threading.Event | None = None,
) -> Launch:
    """Runs a campaign in its folder under `runs_dir`, its finals included, or goes on with it.

    Args:
        settings: The campaign.
        campaign_file: Text of the file that it was read from, kept beside its journal.
        runs_dir: Where campaigns and the MLflow store live.
        workers: Processes that train, None for as many as there are cores.
        manual_dir: Where raw data files may be found.
        executor: Whether they are on this machine or on a Ray cluster; the results are the same.
        gpus_per_worker: What each asks the cluster for.
        observers: Are told how it goes.
        announce: Receives sentences for people.
        stopping: Once it is set, the campaign stops after the running batches.

    Raises:
        SettingsError: If the folder holds another campaign of this name, or an altered copy of its
            campaign file.
        CampaignBusyError: If another process runs it.
        JournalError: If its journal is damaged, or cannot be written for want of room.
        DatasetUnavailable: If there are no data to train on.
        TrackingError: If MLflow is to follow, and cannot keep a store there.
        LearningCurvesError: If there are none to forecast from, or not of this task and its rungs.
    """
    stopping = stopping or threading.Event()
    grammar = load_grammar(settings.grammar)
    if settings.tracking.mlflow:
        check_place(runs_dir)
    if settings.finals is not None:
        check_tasks(settings.finals)
    first, *others = campaign_tasks(
        settings,
        lambda data, fallback: load(
            data, fallback=fallback, manual_dir=manual_dir, announce=announce
        ),
    )
    screening = screening_of(settings, first.used, first.dataset.name)
    folder = runs_dir / settings.name
    folder.mkdir(parents=True, exist_ok=True)
    with (
        exclusive(folder),
        Journal(folder / FILE_NAME) as journal,
        stopped_by_signals(stopping, announce=announce) as notice,
    ):
        identify(
            journal,
            settings,
            task=first.recorded,
            others=[other.recorded for other in others],
            grammar=grammar,
            dataset=first.dataset,
            seeds=read_seeds(settings.search.start_from, grammar),
            forecast=screening.digest if screening else None,
            campaign_file=campaign_file,
        )
        keep_copy(folder, campaign_file)
        if kept := sum(1 for _ in journal.events("evaluation")):
            announce(f"going on from {kept} evaluations that {journal.path} holds")
        workload = Workload(
            first.used,
            others=tuple(other.used for other in others),
            states_folder=folder / _STATES,
            highest=settings.scoring.fidelities[-1],
        )
        dry_run(
            workload,
            timeout_seconds=settings.scoring.timeout_seconds,
            memory_gib=settings.scoring.memory_gib,
        )
        with _mirrored(
            settings, journal, runs_dir=runs_dir, notice=notice, announce=announce
        ) as mirroring:
            watching = [*observers, *mirroring]
            with start_executor(
                executor,
                workload,
                settings.scoring,
                workers=workers,
                gpus_per_worker=gpus_per_worker,
            ) as evaluating:
                ending = _search(
                    settings,
                    journal,
                    grammar=grammar,
                    workload=workload,
                    executor=evaluating,
                    screening=screening,
                    observers=watching,
                    stopping=stopping,
                )
            scored = standings(journal)
            _leave_tidy(folder, scored, interrupted=ending.interrupted)
            if settings.finals is not None and not ending.interrupted:
                # Finals are few and long, and always on this machine.
                here = workers or local_cores()
                finishing = Finishing(journal, settings, here, manual_dir, watching, announce)
                ending = _finish(
                    ending, finishing, scored=scored, wanted=settings.finals, stopping=stopping
                )
        return Launch(folder, ending.reason, interrupted=ending.interrupted)


def _search(
    settings: Settings,
    journal: Journal,
    *,
    grammar: Grammar,
    workload: Workload,
    executor: Executor,
    screening: Screening | None,
    observers: Sequence[Observer],
    stopping: threading.Event,
) -> Ending:
    """Runs the loop, and looks up meanwhile what of the best is new."""
    hall_of_fame = HallOfFame()
    novelty = NoveltyWatch(hall_of_fame, journal.path.parent)
    work = Work(journal, SEARCH)
    loop = Loop(
        settings,
        grammar=grammar,
        bench=workload.bench,
        further=workload.benches[1:],
        hidden_layers=workload.task.network.hidden_layers,
        journal=journal,
        executor=executor,
        screening=screening,
        hall_of_fame=hall_of_fame,
        observers=[*observers, novelty, work],
        stopping=stopping,
    )
    with novelty:
        with work:
            ending = loop.run()
        novelty.close(complete=not stopping.is_set())
    return ending


def _finish(
    ending: Ending,
    finishing: Finishing,
    *,
    scored: Sequence[Standing],
    wanted: FinalsSettings,
    stopping: threading.Event,
) -> Ending:
    """Holds the finals of a search that has come to its end, if it has found anything."""
    if stopping.is_set():
        return STOPPED
    if not any(standing.candidate.origin == "discovered" for standing in scored):
        finishing.announce("no finals were held: the search has scored no function of its own")
        return ending
    held = finishing.hold(finishing.next_plan(wanted), stopping=stopping)
    return ending if held else STOPPED


def hold_finals(
    folder: Path,
    wanted: Callable[[FinalsSettings], FinalsSettings] | None = None,
    *,
    workers: int,
    manual_dir: Path | None = None,
    observers: Sequence[Observer] = (),
    announce: Callable[[str], None] = lambda text: None,
) -> bool:
    """Holds finals of a campaign whose search has been launched, or goes on with them.

    Args:
        folder: The campaign's folder.
        wanted: Makes the settings from those of the campaign; None goes on with the last finals,
            and if none were planned, holds those of the campaign's settings.
        workers: Processes that train.
        manual_dir: Where raw data files may be found.
        observers: Are told how it goes.
        announce: Receives sentences for people.

    Returns:
        False if they were interrupted and can go on.

    Raises:
        FinalsError: If the search has scored no function of its own.
        SettingsError: If the journal holds no launch, or finals would train on the search's seeds.
        CampaignBusyError: If another process runs the campaign.
        DatasetUnavailable: If there are no data to train on.
    """
    folder = located(folder)
    stopping = threading.Event()
    with (
        exclusive(folder),
        Journal(folder / FILE_NAME) as journal,
        stopped_by_signals(stopping, announce=announce) as notice,
    ):
        settings = recorded_settings(journal)
        with _mirrored(
            settings, journal, runs_dir=folder.parent, notice=notice, announce=announce
        ) as mirroring:
            watching = [*observers, *mirroring]
            finishing = Finishing(journal, settings, workers, manual_dir, watching, announce)
            plan = finishing.last_plan if wanted is None else None
            if plan is None:
                own = settings.finals or FinalsSettings()
                plan = finishing.next_plan(wanted(own) if wanted else own)
            return finishing.hold(plan, stopping=stopping)


def _leave_tidy(folder: Path, scored: Sequence[Standing], *, interrupted: bool) -> None:
    """Draws what was found; training states serve only a campaign that goes on."""
    if scored:
        draw_front(scored, folder / FRONT_PICTURE)
    if not interrupted:
        shutil.rmtree(folder / _STATES, ignore_errors=True)


class _Waker:
    """Wakes the mirror whenever the journal has grown."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def on_progress(self, rung: int, done: int, total: int) -> None:
        self._mirror.wake()

    def on_generation(self, summary: GenerationSummary) -> None:
        self._mirror.wake()

    def on_best(self, standing: Standing) -> None:
        pass

    def on_finals(self, task: str, done: int, total: int) -> None:
        self._mirror.wake()


@contextmanager
def _mirrored(
    settings: Settings,
    journal: Journal,
    *,
    runs_dir: Path,
    notice: Notice,
    announce: Callable[[str], None],
) -> Iterator[list[Observer]]:
    """Mirrors the journal to MLflow meanwhile, and says so if the mirror could not keep up."""
    if not settings.tracking.mlflow:
        yield []
        return
    mirror = Mirror(
        journal.path,
        store=runs_dir,
        campaign_dir=journal.path.parent,
    )
    mirror.start()
    patience = 0.0
    try:
        yield [_Waker(mirror)]
        patience = MIRROR_SECONDS
    except HurriedError:
        patience = MIRROR_SECONDS
        raise
    finally:
        status = mirror.close(timeout_seconds=notice.left(patience))
        if status.error:
            announce(
                f"the MLflow mirror is {status.events_behind} events behind ({status.error}); "
                f"`{command('sync', settings.name, runs_dir=runs_dir)}` completes it"
            )
