"""Completes a campaign's report: trains what its ablation lacks, writes it, and mirrors it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evaluators.datasets import load
from search.ablation import to_measure
from search.campaign_folder import located
from search.commands import command
from search.executors import Interrupted, ProcessPool, Workload
from search.identity import launched_task, recorded_settings
from search.journal import FILE_NAME, Journal
from search.launching import exclusive
from search.measuring import Measurer, missing_of, recorded
from search.report import Findings, read_findings, write_report
from search.signals import stopped_by_signals
from search.tracking import Mirror, TrackingError


@dataclass(frozen=True)
class Reported:
    """What became of a report.

    Attributes:
        page: Its page.
        interrupted: Whether the ablation was cut short; another report goes on with it.
    """

    page: Path
    interrupted: bool


def report(
    folder: Path,
    *,
    output: Path | None,
    measure: bool,
    workers: int,
    manual_dir: Path | None,
    announce: Callable[[str], None],
    stopping: threading.Event | None = None,
) -> Reported:
    """Writes the report of a campaign.

    Args:
        folder: Of the campaign.
        output: Folder to write into; `report` in the campaign's folder by default, from where it is
            mirrored to MLflow as well.
        measure: Whether to train, once, the best functions without each of their parts.
        workers: Processes that train.
        manual_dir: Where raw data files may be found.
        announce: Receives sentences for people.
        stopping: Once it is set no further batch is trained, as after a signal.

    Raises:
        CampaignBusyError: If the campaign runs and there is something to measure.
        CandidateNotFoundError: If nothing was discovered yet.
        DatasetUnavailable: If there are no data to measure on.
    """
    folder = located(folder)
    found = read_findings(folder)
    interrupted = measure and not _measure_parts(
        folder,
        found,
        workers=workers,
        manual_dir=manual_dir,
        announce=announce,
        stopping=stopping or threading.Event(),
    )
    page = write_report(folder, output)
    if output is None and found.launched["settings"]["tracking"]["mlflow"]:
        _mirror(folder, announce=announce)
    return Reported(page, interrupted)


def _mirror(folder: Path, *, announce: Callable[[str], None]) -> None:
    """Brings MLflow up to date; it is a view, so that its failure fails nothing."""
    try:
        Mirror(folder / FILE_NAME, store=folder.parent, campaign_dir=folder).catch_up()
    except TrackingError as error:
        announce(
            f"MLflow does not show the report yet ({error}); "
            f"`{command('sync', folder.name, runs_dir=folder.parent)}` completes it"
        )


def _measure_parts(
    folder: Path,
    found: Findings,
    *,
    workers: int,
    manual_dir: Path | None,
    announce: Callable[[str], None],
    stopping: threading.Event,
) -> bool:
    """Trains what the ablation of the winners lacks; whether it is complete."""
    wanted = [part for function in found.divisible for part in to_measure(function)]
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        missing = missing_of(wanted, found.race, measured=recorded(journal))
    if not missing:
        return True
    if not os.access(folder, os.W_OK):
        announce(
            f"which parts matter is not known of all and cannot be recorded: {folder} may not be "
            "written"
        )
        return True
    if stopping.is_set():
        return False
    announce(
        f"training {len(missing)} functions with one part replaced, {found.race} each, to see "
        "which part matters"
    )
    task = launched_task(found.launched)
    workload = Workload(task.on(load(task.data, manual_dir=manual_dir, announce=announce)))
    with (
        exclusive(folder),
        Journal(folder / FILE_NAME) as journal,
        stopped_by_signals(stopping, announce=announce),
        _executor(journal, workload, workers) as executor,
    ):
        measurer = Measurer(journal, executor, bench=workload.bench, stopping=stopping)
        try:
            measurer.measure(missing, found.race)
        except Interrupted:
            return False
    return True


def _executor(journal: Journal, workload: Workload, workers: int) -> ProcessPool:
    """What trained the campaign's candidates."""
    settings = recorded_settings(journal)
    return ProcessPool(
        workload,
        workers=workers,
        batch=settings.scoring.batch,
        timeout_seconds=settings.scoring.timeout_seconds,
        memory_gib=settings.scoring.memory_gib,
    )
