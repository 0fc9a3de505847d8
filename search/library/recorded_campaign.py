"""A campaign by its settings or by its folder, and all that only reads what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from evaluators.tasks import Task, find_task, keep_task
from grammars.export import Function
from search.candidates.racing import Standing
from search.drawing import Picture, best_panels
from search.executors.site import Site
from search.history import read_history
from search.journal.campaign_folder import located
from search.journal.journal import FILE_NAME, Journal
from search.launching.identity import recorded_task, settings_in_force
from search.library.outcomes import candidates_frame, leaderboard_frame
from search.library.replicating import following
from search.settings import (
    Settings,
    SettingsError,
    load_settings,
    read_campaign_file,
    settings_from,
)
from search.settings.mapping import merged, toml_text
from search.settings.shipped import campaign_path
from search.standings.exporting import function_of
from search.standings.leaderboard import LeaderboardRow, find_standing, leaderboard, standings
from search.standings.replicates import Replicates, read_replicates

if TYPE_CHECKING:
    from pandas import DataFrame

Source = str | Path | Mapping[str, Any] | Settings
"""A campaign file, or its settings."""


class NotLaunchedError(SettingsError, FileNotFoundError):
    """A campaign that is nothing but settings was asked what came of it."""


class RecordedCampaign:
    """A campaign by its settings or by its folder, with all that only reads what is there.

    Attributes:
        site: Where it runs; no result depends on it.
        folder: Where journal, hall of fame, report and pictures are.
    """

    def __init__(
        self,
        source: Source | None = None,
        /,
        *,
        overrides: Iterable[str] = (),
        site: Site | None = None,
        **settings: Any,
    ) -> None:
        """Reads and checks the settings.

        Args:
            source: A campaign file or the name of a shipped one, or settings as a mapping; None
                where keywords say it all.
            overrides: Such as "search.population=32", as `--set` takes them.
            site: Where it runs; by default under `runs` with a worker for each core.
            settings: Settings and sections by name, such as `seed=7, search={"population": 32}`;
                they replace what `source` says. Wherever a task is named, also in a mapping, a
                `Task` may stand by value.

        Raises:
            SettingsError: With every problem at once.
            FileNotFoundError: If there is no such file.
        """
        self.site = site or Site()
        settings = _with_names(settings)
        self._read: tuple[Settings, str] | None
        if isinstance(source, str | Path):
            path = campaign_path(source)
            chosen = load_settings(path, overrides, changes=settings)
            self._read = (chosen, read_campaign_file(path))
        else:
            given = (
                source.model_dump() if isinstance(source, Settings) else _with_names(source or {})
            )
            document = merged(given, settings)
            chosen = settings_from(document, overrides)
            self._read = (chosen, toml_text(document))
        self.folder = self.site.runs_dir / chosen.name

    @classmethod
    def load(cls, folder: str | Path, *, site: Site | None = None) -> Self:
        """Opens a campaign that has been launched, finished or running, here or elsewhere.

        Args:
            folder: Of the campaign.
            site: Where it goes on, if it does; its `runs_dir` is that of the folder.

        Raises:
            FileNotFoundError: If there is no campaign in the folder.
        """
        found = cls.__new__(cls)
        found.folder = located(Path(folder))
        if not (found.folder / FILE_NAME).is_file():
            raise FileNotFoundError(f"there is no campaign in {folder}; Campaign(...) makes one")
        found.site = replace(site or Site(), runs_dir=found.folder.parent)
        found._read = None
        return found

    @property
    def settings(self) -> Settings:
        """All settings, checked.

        Raises:
            SettingsError: If it was launched by another version that knew other settings.
        """
        return self._launched()[0]

    @property
    def campaign_file(self) -> str:
        """Text of a campaign file that says the same, but for overrides and keywords beside it."""
        return self._launched()[1]

    def __repr__(self) -> str:
        return f"Campaign {self.folder.name!r} in {self.folder}"

    def leaderboard(self) -> DataFrame:
        """All that was scored, best first, the baselines among them; also while it runs.

        Returns:
            A row a function, its rank the index: expression, name in the catalogue, origin, score,
            validation loss and accuracy, size, depth, steps, seeds, generation and id; over several
            tasks the score on each of them too.

        Raises:
            NotLaunchedError: If it was not launched yet.
        """
        return leaderboard_frame(self.rows)

    def candidates(self) -> DataFrame:
        """All that was considered, in that order, with what became of it; also while it runs.

        Returns:
            A row a candidate, its id the index: its expression, how it was made and from whom, the
            outcome of its last evaluation and the reason where it was not scored, its fitness,
            which compares candidates of one rung, and what was measured. What was not trained has
            no outcome.

        Raises:
            NotLaunchedError: If it was not launched yet.
        """
        with self._journal() as journal:
            return candidates_frame(read_history(journal))

    @property
    def rows(self) -> tuple[LeaderboardRow, ...]:
        """The leaderboard as records, for scripts that want no table.

        Raises:
            NotLaunchedError: If it was not launched yet.
        """
        with self._journal() as journal:
            return tuple(leaderboard(read_history(journal)))

    @property
    def best(self) -> Standing:
        """The best discovered function; its `candidate.expression` goes to any export.

        Raises:
            NotLaunchedError: If it was not launched yet.
            CandidateNotFoundError: If nothing discovered was scored yet.
        """
        return self.standing()

    def standing(self, candidate: str | None = None) -> Standing:
        """A candidate by its id or the beginning of it; the best discovered one by default.

        Raises:
            NotLaunchedError: If it was not launched yet.
            CandidateNotFoundError: If there is none, or more than one.
        """
        with self._journal() as journal:
            return find_standing(read_history(journal), candidate)

    def function(
        self, candidate: str | None = None, *, layer: str | None = None, trained: bool = False
    ) -> Function:
        """A function with what its files tell of it.

        Args:
            candidate: Its id or the beginning of it; the best discovered one by default.
            layer: Which of a candidate with several: first, middle, last or a number.
            trained: Whether trainable parameters start from what training made of them.

        Raises:
            CandidateNotFoundError: If there is none, or more than one.
            ExportError: If the layer or the trained values are not there.
        """
        standing = self.standing(candidate)
        return function_of(standing, campaign=self.folder.name, layer=layer, trained=trained)

    def replicates(self, seeds: int = 5) -> Replicates:
        """What `Campaign.replicate` has come to, finished or not; nothing is run.

        Args:
            seeds: How many, its own among them.

        Raises:
            JournalError: If a journal is damaged.
            SettingsError: If there are no such seeds.
        """
        settings, runs_dir = self.settings, self.site.runs_dir
        others = {each.seed: runs_dir / each.name for each in following(settings, seeds)}
        return read_replicates(settings.name, {settings.seed: self.folder, **others})

    def plot(self, output: str | Path | None = None, *, top: int = 3) -> Picture:
        """Draws f and f' of the best discovered functions beside ReLU, for a notebook or a file.

        Raises:
            NotLaunchedError: If it was not launched yet.
            PictureError: If nothing was discovered yet, or the file has no suffix of a picture.
        """
        with self._journal() as journal:
            picture = Picture(best_panels(standings(read_history(journal)), top=top))
        return picture if output is None else picture.save(output)

    def _launched(self) -> tuple[Settings, str]:
        """The settings and the text of the campaign file: those given, else those on record."""
        if self._read is None:
            with self._journal() as journal:
                history = read_history(journal)
            text = history.launch.campaign_file if history.launch else ""
            self._read = (settings_in_force(history), text)
        return self._read

    def _task(self) -> Task:
        """As it was launched; before that, as it is found by its name."""
        if not (self.folder / FILE_NAME).is_file():
            return find_task(self.settings.task)
        with self._journal() as journal:
            return recorded_task(read_history(journal))

    def _generations_done(self) -> int:
        if not (self.folder / FILE_NAME).is_file():
            return 0
        with self._journal() as journal:
            return len(read_history(journal).generations)

    def _journal(self) -> Journal:
        return Journal(self._launched_folder / FILE_NAME, read_only=True)

    @property
    def _launched_folder(self) -> Path:
        """The folder, where there is a campaign in it.

        Raises:
            NotLaunchedError: If there is none yet.
        """
        journal = self.folder / FILE_NAME
        if not (
            journal.is_file() or journal.is_symlink()
        ):  # whoever opens a link says what is missed
            raise NotLaunchedError(
                f"the campaign {self.folder.name!r} was not launched yet: {self.folder} holds no "
                f"{FILE_NAME}; run it first, with its method `run` or with `actsearch launch`"
            )
        return self.folder


def _with_names(settings: Any) -> Any:
    """Settings with the names of kept files in place of tasks by value."""
    if isinstance(settings, Task):
        return keep_task(settings)
    if isinstance(settings, Mapping):
        return {key: _with_names(value) for key, value in settings.items()}
    return (
        [_with_names(each) for each in settings] if isinstance(settings, list | tuple) else settings
    )
