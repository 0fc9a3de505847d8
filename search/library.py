"""A campaign as a Python object: what the command line does with one, for scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from evaluators.tasks import Task, find_task, keep_task
from grammars import Activation, Layered
from grammars.export import Function, export
from search.campaign_folder import located
from search.comparing import Compared, compare_functions
from search.drawing import draw_functions
from search.exporting import function_of
from search.finals import RIVALS, finals_in, rival_practice
from search.generation import GenerationSummary
from search.history import read_history
from search.identity import recorded_task, settings_in_force
from search.journal import FILE_NAME, Journal
from search.launching import Launch, hold_finals, launch
from search.leaderboard import find_standing, leaderboard, standings
from search.observing import Callbacks, Observer
from search.outcomes import Exports, FinalsHeld, Leaderboard
from search.racing import Standing
from search.reporting import Reported, report
from search.settings import (
    FinalsSettings,
    Settings,
    checked,
    load_settings,
    read_campaign_file,
    settings_from,
)
from search.settings.mapping import merged, toml_text
from search.site import Site

Source = str | Path | Mapping[str, Any] | Settings
"""A campaign file, or its settings."""


class Campaign:
    """Settings with a site to run at. Nothing runs before it is asked for.

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
            source: A campaign file, or settings as a mapping; None where keywords say it all.
            overrides: Such as "search.population=32", as `--set` takes them.
            site: Where it runs; by default under `runs` with a worker for each core.
            settings: Settings and sections by name, such as `seed=7, search={"population": 32}`;
                they replace what `source` says. `task` may be a `Task` by value.

        Raises:
            SettingsError: With every problem at once.
            FileNotFoundError: If there is no such file.
        """
        self.site = site or Site()
        if isinstance(task := settings.get("task"), Task):
            settings["task"] = keep_task(task)
        self._read: tuple[Settings, str] | None
        if isinstance(source, str | Path):
            path = Path(source)
            chosen = load_settings(path, overrides, changes=settings)
            self._read = (chosen, read_campaign_file(path))
        else:
            given = source.model_dump() if isinstance(source, Settings) else source or {}
            document = merged(given, settings)
            chosen = settings_from(document, overrides)
            self._read = (chosen, toml_text(document))
        self.folder = self.site.runs_dir / chosen.name
        self._stopping = threading.Event()

    @classmethod
    def load(cls, folder: str | Path, *, site: Site | None = None) -> Campaign:
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
        found._read, found._stopping = None, threading.Event()
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

    def run(
        self,
        *,
        on_generation: Callable[[GenerationSummary], None] = lambda summary: None,
        on_best: Callable[[Standing], None] = lambda standing: None,
        announce: Callable[[str], None] | None = None,
        observers: Sequence[Observer] = (),
    ) -> Launch:
        """Runs to the end, finals included, or goes on where an earlier run stopped.

        Training happens in processes that know nothing of the calling script. The callbacks run in
        between; what they raise stops the campaign, which can be run again.

        Args:
            on_generation: Is told what each generation came to.
            on_best: Is told of each new leader of the hall of fame.
            announce: Receives sentences for people; by default who the site names.
            observers: Are told of everything.

        Returns:
            Why it ended, and whether it can go on.

        Raises:
            SettingsError: If the folder holds another campaign of this name.
            CampaignBusyError: If another process runs it.
            JournalError: If its journal is damaged, or cannot be written for want of room.
            DatasetUnavailable: If there are no data to train on.
        """
        self._stopping.clear()
        settings, campaign_file = self._launched()
        return launch(
            settings,
            self.site if announce is None else replace(self.site, announce=announce),
            campaign_file=campaign_file,
            observers=[Callbacks(on_generation, on_best), *observers],
            stopping=self._stopping,
        )

    def stop(self) -> None:
        """Ends what runs after its running batches; for callbacks and other threads."""
        self._stopping.set()

    def finals(self, *, observers: Sequence[Observer] = (), **changes: Any) -> FinalsHeld:
        """Holds finals, or goes on with those that were planned last, and says how they stand.

        Args:
            observers: Are told how it goes.
            changes: Of the settings of finals, such as `top=2, max_seeds=40`; with any of them
                further finals are held.

        Raises:
            FinalsError: If the search has scored no function of its own.
            SettingsError: If it was not launched yet, or a change is none.
            CampaignBusyError: If another process runs the campaign.
        """
        self._stopping.clear()
        wanted = partial(_changed, changes=changes) if changes else None
        is_done = hold_finals(
            self.folder, self.site, wanted, observers=observers, stopping=self._stopping
        )
        with self._journal() as journal:
            history = read_history(journal)
        return FinalsHeld(finals_in(history), rival_practice(history), not is_done)

    def report(self, output: str | Path | None = None, *, measure: bool = True) -> Reported:
        """Writes the report: one page, with its figures and tables as files.

        With `measure` the best functions are trained, once, without each of their parts. Raises
        `CandidateNotFoundError` if nothing was discovered yet.
        """
        folder = None if output is None else Path(output)
        return report(
            self.folder, self.site, output=folder, measure=measure, stopping=self._stopping
        )

    def leaderboard(self) -> Leaderboard:
        """All that was scored, best first, the baselines among them; also while it runs.

        Raises:
            FileNotFoundError: If it has not run yet.
        """
        with self._journal() as journal:
            return Leaderboard(leaderboard(read_history(journal)))

    @property
    def best(self) -> Standing:
        """The best discovered function; its `candidate.expression` goes to any export.

        Raises:
            FileNotFoundError: If it has not run yet.
            CandidateNotFoundError: If nothing discovered was scored yet.
        """
        return self.standing()

    def standing(self, candidate: str | None = None) -> Standing:
        """A candidate by its id or the beginning of it; the best discovered one by default.

        Raises:
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

    def export(
        self,
        to: str | Sequence[str],
        output: str | Path,
        *,
        candidate: str | None = None,
        layer: str | None = None,
        trained: bool = False,
        name: str | None = None,
    ) -> Exports:
        """Writes a function as files that stand alone, each run in its framework first.

        Args:
            to: A target or several, or "all".
            output: A directory; for one target also a file.
            candidate, layer, trained: As for `function`.
            name: What the function is called in the files.

        Raises:
            CandidateNotFoundError: If there is no such candidate.
            ExportError: If it cannot be exported so.
        """
        function = self.function(candidate, layer=layer, trained=trained)
        targets = [to] if isinstance(to, str) else list(to)
        return Exports(
            export(
                function.expression,
                targets,
                Path(output),
                name=name or function.name,
                provenance=function.provenance,
            )
        )

    def plot(self, output: str | Path, *, top: int = 3) -> Path:
        """Draws f and f' of the best discovered functions beside ReLU.

        Raises:
            PictureError: If nothing was discovered yet, or the file is no .png, .svg or .pdf.
        """
        with self._journal() as journal:
            found = [
                s for s in standings(read_history(journal)) if s.candidate.origin == "discovered"
            ]
        drawn = {}
        for standing in found[:top]:
            form = standing.candidate.canonical
            drawn.update(form.by_place if isinstance(form, Layered) else {str(form): form})
        draw_functions(drawn, Path(output))
        return Path(output)

    def compare(
        self,
        *functions: str | Activation,
        rivals: Sequence[str] = RIVALS,
        seeds: int = 8,
        steps: int | None = None,
    ) -> Compared:
        """Trains functions on fresh seeds, on the campaign's task, and compares their scores.

        Args:
            functions: Expressions or catalogue names; by default the best that was discovered.
            rivals: Expressions or catalogue names that each is compared with.
            seeds: Training runs of each function.
            steps: Of each run; by default those of the campaign's last rung.

        Raises:
            CandidateNotFoundError: If none are named, and nothing was discovered yet.
            DatasetUnavailable: If there are no data to train on.
        """
        scoring = self.settings.scoring
        return compare_functions(
            functions or [self.best.candidate.canonical],
            rivals=rivals,
            task=self._task(),
            steps=steps or scoring.rungs[-1].steps,
            seeds=seeds,
            used=[seed for fidelity in scoring.fidelities for seed in fidelity.seeds],
            site=self.site,
        )

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

    def _journal(self) -> Journal:
        return Journal(self.folder / FILE_NAME, read_only=True)


def _changed(settings: FinalsSettings, *, changes: Mapping[str, Any]) -> FinalsSettings:
    return checked(FinalsSettings, {**settings.model_dump(), **changes}, what="finals")
