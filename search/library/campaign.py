"""A campaign as a Python object: what the command line does with one, for scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, overload

from grammars import Activation
from grammars.export import export
from search.candidates.generation import GenerationSummary
from search.candidates.racing import Standing
from search.finals import RIVALS, finals_in, rival_practice
from search.history import read_history
from search.launching.launch import Launch, hold_finals, launch
from search.library.outcomes import Exports, FinalsHeld
from search.library.recorded_campaign import RecordedCampaign
from search.library.replicating import following
from search.library.reporting import Reported, report
from search.loop.observing import Callbacks, Observer
from search.loop.progress_bar import ProgressBar, is_watched
from search.settings import FinalsSettings, checked
from search.standings.replicates import Replicates
from search.standings.side_by_side import SideBySide, side_by_side
from search.trials.comparing import Compared, compare_functions

Watching = tuple[Sequence[Observer], Callable[[str], None]]
"""Who is told how a campaign goes, and who receives sentences for people."""


class Campaign(RecordedCampaign):
    """Settings with a site to run at. Nothing runs before it is asked for.

    Attributes:
        site: Where it runs; no result depends on it.
        folder: Where journal, hall of fame, report and pictures are.
    """

    @cached_property
    def _stopping(self) -> threading.Event:
        return threading.Event()

    def run(
        self,
        *,
        on_generation: Callable[[GenerationSummary], None] = lambda summary: None,
        on_best: Callable[[Standing], None] = lambda standing: None,
        announce: Callable[[str], None] | None = None,
        observers: Sequence[Observer] = (),
        progress: bool | None = None,
    ) -> Launch:
        """Runs to the end, finals included, or goes on where an earlier run stopped.

        Training happens in processes that know nothing of the calling script. The callbacks run in
        between; what they raise stops the campaign, which can be run again.

        Args:
            on_generation: Is told what each generation came to.
            on_best: Is told of each new leader of the hall of fame.
            announce: Receives sentences for people; by default who the site names.
            observers: Are told of everything.
            progress: Whether to show a bar; by default where somebody sees it, in a notebook or on
                a terminal.

        Returns:
            Why it ended, and whether it can go on.

        Raises:
            SettingsError: If the folder holds another campaign of this name.
            CampaignBusyError: If another process runs it.
            JournalError: If its journal is damaged, or cannot be written for want of room.
            DatasetUnavailable: If there are no data to train on.
        """
        self._stopping.clear()
        with self._shown(progress=progress) as (bars, say):
            told = [Callbacks(on_generation, on_best), *observers, *bars]
            return self._launch(told, announce or say, self._stopping)

    def replicate(
        self,
        seeds: int = 5,
        *,
        watch: Callable[[Campaign], AbstractContextManager[Watching]] | None = None,
        on_end: Callable[[Campaign], None] = lambda campaign: None,
        progress: bool | None = None,
    ) -> Replicates:
        """Runs the campaign from its own seed and those that follow, or goes on with them.

        Each is a campaign of its own in the same runs directory, called `NAME-seed8` and so on, and
        the first is this one. They run one after the other, finals included.

        Args:
            seeds: How many, its own among them.
            watch: Is entered for each campaign while it runs, and says who is told how it goes.
            on_end: Is told of each campaign that has come to its end.
            progress: As for `run`, where `watch` is not given.

        Returns:
            In how many the leader passes, and whether they have found the same.

        Raises:
            SettingsError: If a folder holds another campaign of that name.
            CampaignBusyError: If another process runs one of them.
            DatasetUnavailable: If there are no data to train on.
        """
        self._stopping.clear()
        others = [type(self)(each, site=self.site) for each in following(self.settings, seeds)]
        campaigns = (self, *others)
        watching = watch or partial(type(self)._shown, progress=progress)
        is_done = all(
            self._has_ended(each, watching, on_end, campaigns[:number])
            for number, each in enumerate(campaigns)
        )
        return replace(self.replicates(seeds), interrupted=not is_done)

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
        folder = self._launched_folder
        self._stopping.clear()
        wanted = partial(_changed, changes=changes) if changes else None
        is_done = hold_finals(
            folder, self.site, wanted, observers=observers, stopping=self._stopping
        )
        with self._journal() as journal:
            history = read_history(journal)
        return FinalsHeld(finals_in(history), rival_practice(history), not is_done)

    def report(self, output: str | Path | None = None, *, measure: bool = True) -> Reported:
        """Writes the report: one page, with its figures and tables as files.

        With `measure` the best functions are trained, once, without each of their parts.

        Raises:
            SettingsError: If it was not launched yet.
            CandidateNotFoundError: If nothing was discovered yet.
        """
        launched = self._launched_folder
        folder = None if output is None else Path(output)
        return report(launched, self.site, output=folder, measure=measure, stopping=self._stopping)

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

    @overload
    def compare(self, other: Campaign, /, *more: Campaign) -> SideBySide: ...

    @overload
    def compare(
        self,
        *functions: str | Activation,
        rivals: Sequence[str] = RIVALS,
        seeds: int = 8,
        steps: int | None = None,
    ) -> Compared: ...

    def compare(
        self,
        *functions: Any,
        rivals: Sequence[str] = RIVALS,
        seeds: int = 8,
        steps: int | None = None,
    ) -> Compared | SideBySide:
        """Puts campaigns side by side, or trains functions on fresh seeds and compares them.

        Args:
            functions: Other campaigns, which trains nothing; or expressions or catalogue names, to
                be trained on this campaign's task, by default the best that was discovered.
            rivals: Expressions or catalogue names that each is compared with.
            seeds: Training runs of each function.
            steps: Of each run; by default those of the campaign's last rung.

        Raises:
            SettingsError: If a campaign was not launched yet whose journal is needed.
            CandidateNotFoundError: If none are named, and nothing was discovered yet.
            DatasetUnavailable: If there are no data to train on.
        """
        if any(isinstance(each, Campaign) for each in functions):
            return side_by_side([each._launched_folder for each in (self, *functions)])
        scoring = self.settings.scoring
        return compare_functions(
            functions or [self.best.candidate.canonical],
            rivals=rivals,
            task=self._task(),
            steps=scoring.rungs[-1].steps if steps is None else steps,
            seeds=seeds,
            used=[seed for fidelity in scoring.fidelities for seed in fidelity.seeds],
            site=self.site,
        )

    def _has_ended(
        self,
        campaign: Campaign,
        watch: Callable[[Campaign], AbstractContextManager[Watching]],
        on_end: Callable[[Campaign], None],
        siblings: Sequence[Campaign],
    ) -> bool:
        """Launches one of several campaigns unless they are to stop; whether it is at its end."""
        if self._stopping.is_set():
            return False
        with watch(campaign) as (observers, announce):
            launched = campaign._launch(
                observers, announce, self._stopping, [each.folder for each in siblings]
            )
        if not launched.interrupted:
            on_end(campaign)
        return not launched.interrupted

    def _launch(
        self,
        observers: Sequence[Observer],
        announce: Callable[[str], None],
        stopping: threading.Event,
        siblings: Sequence[Path] = (),
    ) -> Launch:
        settings, campaign_file = self._launched()
        return launch(
            settings,
            replace(self.site, announce=announce),
            campaign_file=campaign_file,
            observers=observers,
            stopping=stopping,
            siblings=siblings,
        )

    @contextmanager
    def _shown(self, *, progress: bool | None) -> Iterator[Watching]:
        """With a bar; by default where somebody sees it."""
        if not (is_watched() if progress is None else progress):
            yield (), self.site.announce
            return
        settings = self.settings
        total, done = settings.stop.generations, self._generations_done()
        with ProgressBar(settings.name, generations=total, done=done) as bar:
            yield (bar,), self.site.announce


def _changed(settings: FinalsSettings, *, changes: Mapping[str, Any]) -> FinalsSettings:
    return checked(FinalsSettings, {**settings.model_dump(), **changes}, what="finals")
