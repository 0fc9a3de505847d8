"""Completes a campaign's report: trains what its ablation lacks, writes it, and mirrors it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grammars import Expression
from search.executors import Interrupted, Workload
from search.executors.site import Site
from search.history import read_history
from search.history.launched import launched_task
from search.journal.campaign_folder import located
from search.journal.journal import FILE_NAME
from search.launching.identity import settings_in_force
from search.launching.open_campaign import CampaignBusyError, open_campaign
from search.report import FOLDER, Findings, read_findings, write_findings
from search.texts.commands import command
from search.tracking import Destination, Mirror, TrackingError
from search.trials.ablation import to_measure
from search.trials.measuring import Measurer, missing_of


@dataclass(frozen=True, repr=False)
class Reported:
    """What became of a report.

    Attributes:
        page: Its page.
        interrupted: Whether the ablation was cut short; another report goes on with it.
    """

    page: Path
    interrupted: bool

    def __repr__(self) -> str:
        rest = ", without all of the ablation" if self.interrupted else ""
        return f"Report in {self.page}{rest}"


def report(
    folder: Path,
    site: Site,
    *,
    output: Path | None = None,
    measure: bool = True,
    stopping: threading.Event | None = None,
) -> Reported:
    """Writes the report of a campaign.

    Args:
        folder: Of the campaign.
        site: Where what is missing is trained.
        output: Folder to write into; `report` in the campaign's folder by default, from where it is
            mirrored to MLflow as well.
        measure: Whether to train, once, the best functions without each of their parts.
        stopping: Once it is set no further batch is trained, as after a signal.

    Raises:
        CampaignBusyError: If the campaign runs and there is something to measure.
        CandidateNotFoundError: If nothing was discovered yet.
        DatasetUnavailable: If there are no data to measure on.
    """
    folder = located(folder)
    if output is not None:  # before anything is trained for it
        output.mkdir(parents=True, exist_ok=True)
    found = read_findings(folder)
    stopping = stopping or threading.Event()
    wanted = [part for function in found.divisible for part in to_measure(function)]
    missing = missing_of(wanted, found.race, measured=found.measured)
    is_complete = True
    if measure and missing:
        try:
            is_complete = _measure(missing, folder, found, site, stopping=stopping)
        except CampaignBusyError as error:
            raise CampaignBusyError(f"{error}, or measure nothing (--no-measure)") from None
        found = read_findings(folder)
    page = write_findings(found, folder / FOLDER if output is None else output)
    tracking = found.launch.settings["tracking"]
    if output is None and tracking["mlflow"]:
        _mirror(folder, Destination.of(tracking, folder.parent), announce=site.announce)
    return Reported(page, interrupted=not is_complete)


def _mirror(folder: Path, destination: Destination, *, announce: Callable[[str], None]) -> None:
    """Brings MLflow up to date; it is a view, so that its failure fails nothing."""
    try:
        Mirror(folder / FILE_NAME, destination=destination, campaign_dir=folder).catch_up()
    except TrackingError as error:
        announce(
            f"MLflow does not show the report yet ({error}); "
            f"`{command('sync', folder.name, runs_dir=folder.parent)}` completes it"
        )


def _measure(
    missing: Sequence[Expression],
    folder: Path,
    found: Findings,
    site: Site,
    *,
    stopping: threading.Event,
) -> bool:
    """Trains what the ablation of the winners lacks; whether it came to its end."""
    if not os.access(folder, os.W_OK):
        site.announce(
            f"which parts matter is not known of all and cannot be recorded: {folder} may not be "
            "written"
        )
        return True
    if stopping.is_set():
        return False
    site.announce(
        f"training {len(missing)} functions with one part replaced, {found.race} each, to see "
        "which part matters"
    )
    task = launched_task(found.launch)
    workload = Workload(task.on(site.load(task.data)))
    with open_campaign(folder, site, stopping=stopping) as campaign:
        scoring = settings_in_force(read_history(campaign.journal)).scoring
        with site.start(workload, scoring) as executor:
            measurer = Measurer(campaign.journal, executor, bench=workload.bench, stopping=stopping)
            try:
                measurer.measure(missing, found.race)
            except Interrupted:
                return False
    return True
