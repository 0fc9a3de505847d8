"""A campaign as a Python object: what `actsearch launch` does, for scripts and notebooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from search.generation import GenerationSummary
from search.journal import FILE_NAME, Journal
from search.launching import Launch, launch
from search.leaderboard import Row, find_standing, leaderboard
from search.racing import Standing
from search.settings import Settings, load_settings, read_campaign_file


class Campaign:
    """A campaign file with a place to run in.

    Attributes:
        settings: What the file says, overrides included.
        folder: Where journal, hall of fame and pictures are.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        campaign_file: str,
        runs_dir: Path,
        workers: int | None,
        manual_dir: Path | None = None,
    ) -> None:
        """See `open`, which reads the file."""
        self.settings, self.folder = settings, runs_dir / settings.name
        self._campaign_file, self._runs_dir = campaign_file, runs_dir
        self._workers, self._manual_dir = workers, manual_dir
        self._stopping = threading.Event()

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        overrides: Iterable[str] = (),
        runs_dir: str | Path = "runs",
        workers: int | None = None,
        manual_dir: str | Path | None = None,
    ) -> Campaign:
        """Reads a campaign file; nothing runs yet.

        Args:
            path: The campaign file.
            overrides: Such as "search.population=32".
            runs_dir: Where campaigns and the MLflow store live.
            workers: Processes that train; by default one for each core that may be used.
            manual_dir: Where raw data files may be found.

        Raises:
            SettingsError: With every problem of the file.
            FileNotFoundError: If there is no such file.
        """
        path = Path(path)
        return cls(
            load_settings(path, overrides),
            campaign_file=read_campaign_file(path),
            runs_dir=Path(runs_dir),
            workers=workers,
            manual_dir=None if manual_dir is None else Path(manual_dir),
        )

    def run(
        self,
        *,
        on_generation: Callable[[GenerationSummary], None] = lambda summary: None,
        on_best: Callable[[Standing], None] = lambda standing: None,
        announce: Callable[[str], None] = lambda text: None,
    ) -> Launch:
        """Runs to the end, or goes on where an earlier run stopped.

        Training happens in processes that know nothing of the calling script. The callbacks run in
        between; what they raise stops the campaign, which can be run again.

        Args:
            on_generation: Is told what each generation came to.
            on_best: Is told of each new leader of the hall of fame.
            announce: Receives sentences for people.

        Returns:
            Why it ended, and whether it can go on.

        Raises:
            SettingsError: If the folder holds another campaign of this name.
            CampaignBusyError: If another process runs it.
            JournalError: If its journal is damaged, or cannot be written for want of room.
            DatasetUnavailable: If there are no data to train on.
        """
        self._stopping.clear()
        return launch(
            self.settings,
            campaign_file=self._campaign_file,
            runs_dir=self._runs_dir,
            workers=self._workers,
            manual_dir=self._manual_dir,
            observers=[_Callbacks(on_generation, on_best)],
            announce=announce,
            stopping=self._stopping,
        )

    def stop(self) -> None:
        """Ends a run after its running batches; for callbacks and other threads."""
        self._stopping.set()

    def leaderboard(self) -> list[Row]:
        """All that was scored, best first, the baselines among them; also while it runs.

        Raises:
            FileNotFoundError: If it has not run yet.
        """
        with self._journal() as journal:
            return leaderboard(journal)

    @property
    def best(self) -> Standing:
        """The best discovered function; its `candidate.expression` goes to any export.

        Raises:
            FileNotFoundError: If it has not run yet.
            CandidateNotFoundError: If nothing discovered was scored yet.
        """
        with self._journal() as journal:
            return find_standing(journal)

    def _journal(self) -> Journal:
        return Journal(self.folder / FILE_NAME, read_only=True)


class _Callbacks:
    """An observer made of two functions."""

    def __init__(
        self,
        on_generation: Callable[[GenerationSummary], None],
        on_best: Callable[[Standing], None],
    ) -> None:
        self.on_generation, self.on_best = on_generation, on_best

    def on_progress(self, rung: int, done: int, total: int) -> None:
        pass

    def on_finals(self, task: str, done: int, total: int) -> None:
        pass
