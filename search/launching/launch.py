"""Runs a campaign in its folder: the search, then its finals."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from search.candidates.hall_of_fame import FILE_NAME as HALL_OF_FAME
from search.candidates.hall_of_fame import HallOfFame
from search.candidates.novelty_watch import NoveltyWatch
from search.drawing import draw_front
from search.executors import dry_run
from search.executors.site import Site
from search.finals import finals_in
from search.history import SEARCH, History, Settled, read_history, write
from search.history.work import Work
from search.journal.campaign_folder import located
from search.journal.journal import FILE_NAME, Journal
from search.journal.placing import place_journal
from search.launching.campaign_copy import keep_copy
from search.launching.finishing import Finishing
from search.launching.identity import settings_in_force, task_finder
from search.launching.open_campaign import OpenCampaign, open_campaign
from search.launching.polishing import polish
from search.launching.preparing import STATES, Prepared, prepare
from search.launching.siblings import Siblings
from search.loop.campaign import STOPPED, Ending, Loop
from search.loop.observing import Observer
from search.settings import FinalsSettings, Settings
from search.standings.leaderboard import find_standing, standings

FRONT_PICTURE: Final = "front.png"


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        how = "interrupted, and can go on" if self.interrupted else "ended"
        return f"Campaign in {self.folder} {how}: {self.reason}"


def launch(
    settings: Settings,
    site: Site,
    *,
    campaign_file: str,
    observers: Sequence[Observer] = (),
    stopping: threading.Event | None = None,
    siblings: Sequence[Path] = (),
) -> Launch:
    """Runs a campaign in its folder, its finals included, or goes on with it.

    Args:
        settings: The campaign.
        site: Where it runs; no result depends on it.
        campaign_file: Text of the file that it was read from, kept beside its journal.
        observers: Are told how it goes.
        stopping: Once it is set, the campaign stops after the running batches.
        siblings: Folders of the same campaign from other seeds; what they have trained, and this
            one would train again, is taken from their journals.

    Raises:
        SettingsError: If the folder holds another campaign of this name, or an altered copy of its
            campaign file.
        CampaignBusyError: If another process runs it.
        JournalError: If its journal is damaged, or cannot be written for want of room.
        DatasetUnavailable: If there are no data to train on.
        TaskError: If a task of a user's own does not work.
        TrackingError: If MLflow is to follow, and cannot keep a store there.
        LearningCurvesError: If there are none to forecast from, or not of this task and its rungs.
    """
    prepared = prepare(settings, campaign_file, site)
    folder = site.runs_dir / settings.name
    scoring = settings.scoring
    # Before anything is recorded: who mends his file launches the same campaign.
    dry_run(
        prepared.tried(folder),
        timeout_seconds=scoring.timeout_seconds,
        memory_gib=scoring.memory_gib,
    )
    folder.mkdir(parents=True, exist_ok=True)
    if site.journal_dir is not None:
        place_journal(folder, site.journal_dir)
    with open_campaign(folder, site, stopping=stopping) as campaign:
        prepared.identify(campaign.journal, campaign.site.announce)
        alike = Siblings(tuple(siblings))
        alike.share_search(campaign.journal)
        keep_copy(folder, campaign_file)
        _say_what_is_kept(campaign)
        if (template := settings.search.template) is not None:
            campaign.site.announce(f"the search fills the template {template}")
        with campaign.mirrored(settings, observers) as watching:
            ending = _settle(prepared, campaign, watching)
            ending = _finish(ending, Finishing(campaign, settings, watching, alike))
    return Launch(folder, ending.reason, interrupted=ending.interrupted)


def hold_finals(
    folder: Path,
    site: Site,
    wanted: Callable[[FinalsSettings], FinalsSettings] | None = None,
    *,
    observers: Sequence[Observer] = (),
    stopping: threading.Event | None = None,
) -> bool:
    """Holds finals of a campaign whose search has been launched, or goes on with them.

    Args:
        folder: The campaign's folder.
        site: Where they run.
        wanted: Makes the settings from those of the campaign; None goes on with the last finals,
            and if none were planned, holds those of the campaign's settings.
        observers: Are told how it goes.
        stopping: Once it is set, they stop after the running batches.

    Returns:
        False if they were interrupted and can go on.

    Raises:
        FinalsError: If the search has scored no function of its own.
        SettingsError: If the journal holds no launch, or finals would train on the search's seeds.
        CandidateNotFoundError: If a function was named that is no candidate.
        TaskError: If a task was named that is none.
        CampaignBusyError: If another process runs the campaign.
        DatasetUnavailable: If there are no data to train on.
    """
    folder = located(folder)
    if wanted is None and not os.access(folder, os.W_OK) and _have_ended(folder):
        return True  # nothing is left to do but to read what they came to
    with open_campaign(folder, site, stopping=stopping) as campaign:
        history = read_history(campaign.journal)
        settings = settings_in_force(history)
        asked = settings.finals or FinalsSettings()
        if wanted is not None:
            asked = wanted(asked)
            _check_names(asked, history)
        with campaign.mirrored(settings, observers) as watching:
            finishing = Finishing(campaign, settings, watching, Siblings())
            plan = finishing.last_plan if wanted is None else None
            return finishing.hold_next(asked) if plan is None else finishing.hold(plan)


def _check_names(asked: FinalsSettings, history: History) -> None:
    """Finds what somebody has named, before anything starts that a slip would have to end.

    Raises:
        CandidateNotFoundError: If there is no such candidate.
        TaskError: If there is no such task.
    """
    for identity in asked.candidates:
        find_standing(history, identity)
    find = task_finder(history)
    for name in asked.transfer:
        find(name)


def _have_ended(folder: Path) -> bool:
    """Whether the finals that were planned last have been held to their end."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        finals = finals_in(read_history(journal))
    return finals is not None and finals.ended is not None


def _say_what_is_kept(campaign: OpenCampaign) -> None:
    if kept := sum(1 for _ in campaign.journal.events("evaluation")):
        campaign.site.announce(
            f"resuming: {kept} evaluations already done, by {campaign.journal.path.resolve()}"
        )


def _settle(prepared: Prepared, campaign: OpenCampaign, observers: Sequence[Observer]) -> Ending:
    """Searches and polishes, unless that was done to the end by an earlier launch."""
    folder, journal = campaign.folder, campaign.journal
    history = read_history(journal)
    budget = prepared.settings.model_dump(mode="json", include={"stop", "polish"})
    is_whole = (folder / HALL_OF_FAME).exists()  # a journal may come alone
    if is_whole and history.ended is not None and history.is_settled(budget):
        campaign.site.announce(f"the search has ended: {history.ended.reason}")
        return Ending(history.ended.reason)
    hall_of_fame = HallOfFame()
    ending = _search(prepared, campaign, observers, hall_of_fame)
    ending = _polish(ending, prepared, campaign, hall_of_fame)
    _leave_tidy(campaign, interrupted=ending.interrupted)
    if not ending.interrupted:
        number = 1 if history.settled is None else history.settled.number + 1
        write(journal, [Settled(number, budget)])
    return ending


def _search(
    prepared: Prepared,
    campaign: OpenCampaign,
    observers: Sequence[Observer],
    hall_of_fame: HallOfFame,
) -> Ending:
    """Runs the loop, and looks up meanwhile what of the best is new."""
    settings, journal = prepared.settings, campaign.journal
    workload = prepared.workload(campaign.folder)
    novelty = NoveltyWatch(hall_of_fame, campaign.folder)
    work = Work(journal, SEARCH)
    scoring = settings.scoring
    with campaign.site.start(workload, scoring) as executor:
        loop = Loop(
            settings,
            grammar=prepared.grammar,
            bench=workload.bench,
            further=workload.benches[1 : len(settings.search_tasks)],
            watched=workload.benches[len(settings.search_tasks) :],
            hidden_layers=workload.task.network.hidden_layers,
            journal=journal,
            executor=executor,
            screening=prepared.screening,
            hall_of_fame=hall_of_fame,
            observers=[*observers, novelty, work],
            stopping=campaign.stopping,
        )
        with novelty:
            with work:
                ending = loop.run()
            novelty.close(complete=not campaign.stopping.is_set())
    return ending


def _polish(
    ending: Ending, prepared: Prepared, campaign: OpenCampaign, hall_of_fame: HallOfFame
) -> Ending:
    """Polishes the best of a search that has come to its end, where the settings say so."""
    if prepared.settings.polish is None or ending.interrupted:
        return ending
    if campaign.stopping.is_set():
        return STOPPED
    return ending if polish(prepared, campaign, hall_of_fame) else STOPPED


def _leave_tidy(campaign: OpenCampaign, *, interrupted: bool) -> None:
    """Draws what was found; training states serve only a campaign that goes on."""
    if scored := standings(read_history(campaign.journal)):
        draw_front(scored, campaign.folder / FRONT_PICTURE)
    if not interrupted:
        shutil.rmtree(campaign.folder / STATES, ignore_errors=True)


def _finish(ending: Ending, finishing: Finishing) -> Ending:
    """Holds the finals of a search that has come to its end, if it has found anything."""
    wanted, campaign = finishing.settings.finals, finishing.campaign
    if wanted is None or ending.interrupted:
        return ending
    if campaign.stopping.is_set():
        return STOPPED
    scored = standings(read_history(campaign.journal))
    if not any(standing.candidate.origin == "discovered" for standing in scored):
        campaign.site.announce("no finals were held: the search has scored no function of its own")
        return ending
    return ending if finishing.hold_own(wanted) else STOPPED
