"""What the settings of a campaign come to on a site, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from evaluators.datasets import DatasetUnavailable
from evaluators.tasks import Task, find_task, is_shipped_name
from grammars import Expression, Grammar, load_grammar
from search.candidates.lesson import Lesson
from search.candidates.screening import Screening, screening_of
from search.executors import Workload
from search.executors.site import Site
from search.finals import check_tasks
from search.history import find_begun
from search.history.launched import tasks_begun_with
from search.journal.journal import FILE_NAME, Journal
from search.launching.campaign_copy import without_heading
from search.launching.campaign_tasks import CampaignTask, campaign_tasks, refuse_namesakes
from search.launching.identity import identify
from search.launching.lessons import read_lessons
from search.launching.rivals import check_rivals
from search.launching.tuning import check_rates
from search.settings import FinalsSettings, Settings, SettingsError, check_fresh
from search.strategies.starting_points import read_starting_points
from search.tracking import Destination, check_destination

STATES: Final = "states"
"""Folder of the training states, within a campaign's."""


@dataclass(frozen=True)
class Prepared:
    """All that a search needs.

    Attributes:
        settings: The campaign.
        campaign_file: Text of the file that they were read from.
        grammar: What may be written.
        starts: The functions that the search starts from.
        tasks: All that its candidates are trained on, the first of which stands for the campaign.
        screening: Who is trained by forecasts; None without.
        elsewhere: Tasks of a user's own that its finals transfer to, as far as their data are here.
    """

    settings: Settings
    campaign_file: str
    grammar: Grammar
    starts: tuple[Expression, ...]
    tasks: tuple[CampaignTask, ...]
    screening: Screening | None
    elsewhere: tuple[Task, ...] = ()

    def identify(self, journal: Journal, announce: Callable[[str], None]) -> None:
        """Records what the campaign is, or compares it with what is on record.

        What it is to learn from earlier campaigns is read now if it is new, and never again.

        Args:
            journal: Of the campaign.
            announce: Receives sentences for people.

        Raises:
            SettingsError: If the journal belongs to another campaign.
        """
        first, *others = self.tasks
        identify(
            journal,
            self.settings,
            task=first.recorded,
            others=[other.recorded for other in others],
            grammar=self.grammar,
            dataset=first.dataset,
            seeds=self.starts,
            forecast=self.screening.digest if self.screening else None,
            lessons=partial(self._lessons, journal.path.parent, announce),
            campaign_file=without_heading(self.campaign_file),
        )

    def _lessons(self, folder: Path, announce: Callable[[str], None]) -> tuple[Lesson, ...]:
        if not self.settings.search.learn_from:
            return ()
        names = self.settings.search_tasks
        tasks = {name: task.used for name, task in zip(names, self.tasks, strict=False)}
        return read_lessons(self.settings, tasks, folder, announce)

    def tried(self, folder: Path) -> Workload:
        """What is tried before anything begins: the workload, and what its finals train beside."""
        workload = self.workload(folder)
        return replace(workload, others=(*workload.others, *self.elsewhere))

    def workload(self, folder: Path) -> Workload:
        """What its workers train, with states in the campaign's folder."""
        first, *others = self.tasks
        return Workload(
            first.used,
            others=tuple(other.used for other in others),
            states_folder=folder / STATES,
            highest=self.settings.scoring.fidelities[-1],
        )


def prepare(settings: Settings, campaign_file: str, site: Site) -> Prepared:
    """Reads what the settings name, and fetches the data.

    Raises:
        JournalError: If the campaign has begun, and its journal is damaged.
        SettingsError: If something that they name cannot be used.
        FinalsError: If finals are wanted that no task of theirs allows.
        DatasetUnavailable: If there are no data to train on.
        TrackingError: If MLflow is to follow, and cannot keep a store there.
        LearningCurvesError: If there are none to forecast from, or not of this task and its rungs.
    """
    grammar = _grammar_of(settings)
    starts = tuple(read_starting_points(settings.search.start_from, grammar))
    if settings.tracking.mlflow:
        check_destination(Destination.of(settings.tracking.model_dump(), site.runs_dir))
    if settings.finals is not None:
        check_tasks(settings.finals)
        check_rivals(settings.finals, site.runs_dir)
    tasks = campaign_tasks(
        settings,
        lambda data, fallback: site.load(data, fallback=fallback),
        begun=_begun_with(site.runs_dir / settings.name / FILE_NAME),
    )
    for task in tasks:
        if task.is_of_old:
            site.announce(
                f"the shipped task {task.asked.name} has changed since this campaign began, which "
                "goes on with it as it was; a new campaign takes the new one"
            )
    if settings.finals is not None:
        _check_finals(settings.finals, settings, [task.used for task in tasks])
    screening = screening_of(settings, tasks[0].used, tasks[0].dataset.name)
    elsewhere = tuple(_elsewhere(settings.finals, site)) if settings.finals is not None else ()
    return Prepared(settings, campaign_file, grammar, starts, tasks, screening, elsewhere)


def _elsewhere(finals: FinalsSettings, site: Site) -> Iterator[Task]:
    for name in finals.transfer:
        if not is_shipped_name(name):
            task = find_task(name)
            with suppress(DatasetUnavailable):  # finals leave it out, and say so
                site.load(task.data)
                yield task


def _check_finals(finals: FinalsSettings, settings: Settings, tasks: Sequence[Task]) -> None:
    """What can be told before the search, and would end its finals.

    Settings that a journal holds may break it, and be mended once the search is done.
    """
    try:
        check_fresh(finals, settings.scoring, settings.watch)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    known = {find_task(name).name: name for name in settings.search_tasks}
    transfer = {name: find_task(name) for name in finals.transfer}
    refuse_namesakes(transfer, where="finals.transfer", known=known)
    if finals.register_leader and settings.search.layers != "shared":
        raise SettingsError(
            "finals.register_leader: a registered model is a single function, and search.layers is "
            f"{settings.search.layers!r}; leave register_leader out"
        )
    if finals.own_rates:
        claimed = len(settings.search_tasks) if finals.all_tasks else 1
        check_rates([*tasks[:claimed], *map(find_task, finals.transfer)])


def _grammar_of(settings: Settings) -> Grammar:
    """What the campaign may write: the grammar, within the size that its search asks for."""
    grammar, most = load_grammar(settings.grammar), settings.search.max_size
    if most is None:
        return grammar
    if most > grammar.max_size:
        raise SettingsError(
            f"search.max_size: the grammar {grammar.name!r} allows {grammar.max_size} nodes, got "
            f"{most}; for more, copy the grammar to a file and change its max_size"
        )
    try:
        return Grammar.model_validate({**grammar.model_dump(), "max_size": most})
    except ValidationError as error:
        (detail,) = error.errors()
        raise SettingsError(
            f"search.max_size: within {most} nodes the grammar {grammar.name!r} cannot be used: "
            f"{detail['msg'].removeprefix('Value error, ')}"
        ) from error


def _begun_with(journal: Path) -> Mapping[str, Task]:
    """Tasks of the campaign that a journal tells of; empty if there is none yet."""
    try:
        with Journal(journal, read_only=True) as opened:
            begun = find_begun(opened)
    except FileNotFoundError:
        return {}
    return {} if begun is None else tasks_begun_with(begun)
