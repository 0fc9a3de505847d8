"""Keeps MLflow in step with a journal, off the path of the campaign."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from search.journal.journal import Journal
from search.tracking.destination import EMBEDDED, Destination
from search.tracking.replica import CandidateRuns, Replica
from search.tracking.store import TrackingError

FIRST_RETRY_SECONDS: Final = 0.5
LONGEST_RETRY_SECONDS: Final = 60.0
# After so many failures in a row nothing is believed of the store any more, and all is looked up.
FAILURES_BELIEVED: Final = 3
# At the end, a store that takes nothing for so long is not waited for any longer.
SILENT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.5
# The table and the pictures are written whole each time, so not with every generation.
SUMMARY_INTERVAL_SECONDS: Final = 60.0
# While the campaign runs the mirror rests nineteen times as long as it works: it holds Python's
# lock while it works, and a twentieth of a core is what the search can spare. That is enough for
# two and a half runs a second; with more it falls behind, and at the end it does not rest.
REST_SHARE: Final = 19.0


@dataclass(frozen=True)
class MirrorStatus:
    """How a mirror was left.

    Attributes:
        events_behind: Events of the journal that are not in the store; 0 is possible with an
            error, when only the table, the pictures or the campaign's state are not up to date.
        error: What last went wrong, in words; None if the mirror is complete.
    """

    events_behind: int
    error: str | None


class _AbandonedError(Exception):
    """Ends the work of a mirror that nobody waits for any more."""


class Mirror:
    """Follows a campaign from a thread of its own.

    Nothing that happens to the store reaches the campaign: failures are retried with growing
    pauses and said once, by `close`.
    """

    def __init__(
        self,
        journal_path: Path,
        *,
        destination: Destination,
        campaign_dir: Path,
        candidate_runs: CandidateRuns | None = None,
    ) -> None:
        """Prepares a mirror; nothing is imported or opened before `start` or `catch_up`.

        Args:
            journal_path: The journal to follow; it is only read.
            destination: Where the campaign is shown.
            campaign_dir: The campaign's folder; its name is the campaign's.
            candidate_runs: Which candidates get a run: all, those evaluated beyond the first rung
                (and the baselines), or none; by default what the journal says.
        """
        self._journal_path, self._destination = journal_path, destination
        self._replica = Replica(
            journal_path,
            destination=destination,
            candidate_runs=candidate_runs,
            campaign_dir=campaign_dir,
        )
        # A daemon, so that a store that hangs cannot keep a finished program alive.
        self._thread = threading.Thread(target=self._follow, name="mlflow-mirror", daemon=True)
        self._awake = threading.Event()
        self._closing = threading.Event()
        self._abandoned = threading.Event()
        self._error: str | None = None
        self._failures = 0
        self._last_write = 0.0
        self._has_said_so = False

    def start(self) -> None:
        """Begins to follow the journal, from its beginning."""
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """Says that the journal has grown; returns at once."""
        self._awake.set()

    def close(self, *, timeout_seconds: float) -> MirrorStatus:
        """Lets the mirror complete its work, for a bounded time, and ends it."""
        self._last_write = time.monotonic()
        self._closing.set()
        self.wake()
        deadline = time.monotonic() + timeout_seconds
        while self._thread.is_alive() and (left := self._patience(deadline)) > 0:
            self._thread.join(min(left, _LOOK_SECONDS))
        self._abandoned.set()
        if self._thread.is_alive():  # lets whoever comes next have the lock, if it is that quick
            self._thread.join(_LOOK_SECONDS)
        behind, error = self.events_behind, self._error
        if error is None and (behind or self._thread.is_alive()):
            error = f"timed out after {timeout_seconds:g} s"
        return MirrorStatus(behind, error)

    def catch_up(self) -> None:
        """Brings the store into step with the journal, then returns; for `sync`.

        Raises:
            TrackingError: If the store cannot be written, or another process mirrors the campaign.
            FileNotFoundError, JournalError: If there is no readable journal.
        """
        try:
            while not self._has_caught_up():
                time.sleep(FIRST_RETRY_SECONDS)
        finally:
            self._replica.forget()

    def _has_caught_up(self) -> bool:
        """Whether all is written; what has failed a few times in a row has failed."""
        try:
            self._replica.advance(after_write=self._after_success, is_running=False)
            self._replica.summarise(after_write=self._after_success, is_running=False)
        except (FileNotFoundError, RuntimeError):
            raise
        except Exception as error:  # MLflow and SQLAlchemy have no common base
            self._failures += 1
            if self._failures < FAILURES_BELIEVED:
                return False
            raise TrackingError(
                f"the MLflow store cannot be written: {self._describe(error)}; {self._way_out}"
            ) from error
        return True

    def _follow(self) -> None:
        try:
            self._follow_until_closed()
        finally:
            self._replica.forget()

    def _follow_until_closed(self) -> None:
        pause = FIRST_RETRY_SECONDS
        next_summary = time.monotonic() + SUMMARY_INTERVAL_SECONDS
        while not self._abandoned.is_set():
            self._awake.wait()
            self._awake.clear()
            closing = self._closing.is_set()
            due = closing or time.monotonic() >= next_summary
            try:
                self._step(summarise=due, closing=closing)
            except _AbandonedError:
                break
            except Exception as error:  # whatever the store does, the campaign goes on
                self._error = self._describe(error)
                self._failures += 1
                if self._failures % FAILURES_BELIEVED == 0:
                    self._replica.forget()
                self._rest_after_failure(pause)
                pause = min(2 * pause, LONGEST_RETRY_SECONDS)
                self.wake()
                continue
            self._error, pause = None, FIRST_RETRY_SECONDS
            if closing:
                break
            if due:
                next_summary = time.monotonic() + SUMMARY_INTERVAL_SECONDS

    def _rest_after_failure(self, seconds: float) -> None:
        if self._closing.is_set():
            self._abandoned.wait(FIRST_RETRY_SECONDS)
        else:
            self._closing.wait(seconds)

    def _step(self, *, summarise: bool, closing: bool) -> None:
        if closing:
            self._say_stopped()
        self._replica.advance(after_write=self._after_write, is_running=not closing)
        if summarise:
            self._replica.summarise(after_write=self._after_write, is_running=not closing)

    def _after_write(self, seconds: float) -> None:
        self._after_success(seconds)
        if self._abandoned.is_set():
            raise _AbandonedError
        if self._closing.is_set():
            self._say_stopped()
        self._closing.wait(REST_SHARE * seconds)

    def _after_success(self, seconds: float) -> None:
        self._failures, self._last_write = 0, time.monotonic()

    def _patience(self, deadline: float) -> float:
        """Seconds that the end of the campaign still has for the mirror."""
        return min(deadline, self._last_write + SILENT_SECONDS) - time.monotonic()

    def _say_stopped(self) -> None:
        """Once, and before all that is left to write: there may be no time for the rest."""
        if not self._has_said_so:
            self._has_said_so = self._replica.say_stopped()

    @property
    def events_behind(self) -> int:
        """Events of the journal that are not in the store yet."""
        with Journal(self._journal_path, read_only=True) as journal:
            return sum(1 for _ in journal.events(after=self._replica.complete_to))

    def _describe(self, error: Exception) -> str:
        """The first line of an error; SQLAlchemy's go on with statements and links."""
        lines = str(error).splitlines()
        name = type(error).__name__
        return self._destination.without_secrets(f"{name}: {lines[0]}" if lines else name)

    @property
    def _way_out(self) -> str:
        if self._destination.scheme == EMBEDDED:
            return (
                "see that its disk has room and that it may be written, or move its mlflow.db "
                "away: `actsearch sync` writes all that was in it anew, campaign by campaign"
            )
        return (
            f"see that {self._destination.shown} answers and lets you write "
            "(MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN): "
            "`actsearch sync` then writes what is missing, and with --to elsewhere"
        )
