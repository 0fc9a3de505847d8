"""A campaign's folder while this process works in it, and no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluators.reading.file_locks import locked
from search.candidates.generation import GenerationSummary
from search.candidates.racing import Standing
from search.executors.site import Site
from search.journal.journal import FILE_NAME, Journal
from search.journal.placing import beside_journal
from search.launching.signals import HurriedError, Notice, stopped_by_signals
from search.loop.observing import Observer
from search.settings import Settings
from search.texts.commands import command
from search.tracking import Destination, Mirror

_LOCK_FILE: Final = "lock"

# How long the end of a campaign waits for its mirror; not at all where it was to stop now.
MIRROR_SECONDS: Final = 120.0


class CampaignBusyError(ValueError):
    """Another process is running the campaign."""


@dataclass(frozen=True)
class OpenCampaign:
    """A campaign's folder, locked, with its journal open for writing.

    Attributes:
        folder: Of the campaign.
        journal: Of the campaign.
        site: Where it runs.
        stopping: Once it is set, no further batch begins; signals set it too.
        notice: How long whoever sent a signal will wait for the end.
    """

    folder: Path
    journal: Journal
    site: Site
    stopping: threading.Event
    notice: Notice

    @contextmanager
    def mirrored(
        self, settings: Settings, observers: Sequence[Observer] = ()
    ) -> Iterator[list[Observer]]:
        """Mirrors the journal to MLflow meanwhile, and says so if the mirror could not keep up.

        Args:
            settings: The campaign's, which may want no mirror.
            observers: Whoever else is told how it goes.

        Yields:
            All who are told.
        """
        if not settings.tracking.mlflow:
            yield [*observers]
            return
        mirror = Mirror(
            self.journal.path,
            destination=Destination.of(settings.tracking.model_dump(), self.folder.parent),
            campaign_dir=self.folder,
        )
        mirror.start()
        patience, failed = 0.0, False
        try:
            yield [*observers, _Waker(mirror)]
            patience = MIRROR_SECONDS
        except HurriedError:
            patience = MIRROR_SECONDS
            raise
        except Exception:
            failed = True
            raise
        finally:
            status = mirror.close(timeout_seconds=self.notice.left(patience))
            # After a failure the mirror has no time, so that how far it is says nothing of the
            # store; whoever mends what failed launches again, and mirrors the rest.
            if status.error and not failed:
                completing = command("sync", self.folder.name, runs_dir=self.folder.parent)
                self.site.announce(
                    f"the MLflow mirror is {status.events_behind} events behind ({status.error}); "
                    f"`{completing}` completes it"
                )


@contextmanager
def open_campaign(
    folder: Path, site: Site, *, stopping: threading.Event | None = None
) -> Iterator[OpenCampaign]:
    """Opens a campaign's folder for writing.

    Args:
        folder: Of the campaign; it exists.
        site: Where it runs.
        stopping: Is set by signals, and by whoever wants it to stop after the running batches.

    Raises:
        CampaignBusyError: If another process has.
        LocksUnsupportedError: If the folder's file system has no locks.
        JournalError: If its journal is damaged.
    """
    stopping = stopping or threading.Event()
    with (
        _exclusive(folder),
        Journal(folder / FILE_NAME) as journal,
        stopped_by_signals(stopping, announce=site.announce) as notice,
    ):
        yield OpenCampaign(folder, journal, site, stopping, notice)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Holds the campaign's lock, which the system drops however the process ends."""
    with ExitStack() as lock:
        try:
            lock.enter_context(locked(beside_journal(folder, _LOCK_FILE), wait=False))
        except BlockingIOError:
            raise CampaignBusyError(
                f"the campaign in {folder} is running in another process; wait for it or stop it"
            ) from None
        yield


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
