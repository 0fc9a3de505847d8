"""`actsearch launch`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import (
    DEFAULT_RUNS_DIR,
    INTERRUPTED,
    Executor,
    Executors,
    GpusPerWorker,
    JournalDir,
    ManualDir,
    Overrides,
    RunsDir,
    Workers,
    say,
    site_of,
)
from search.cli.report import report_at_end

if TYPE_CHECKING:
    from search.executors.site import Site
    from search.library.campaign import Campaign


def launch_command(
    campaign_file: Annotated[
        str,
        typer.Argument(
            metavar="CAMPAIGN.toml",
            help="A campaign file, the name of a shipped campaign, or of one that was launched.",
        ),
    ],
    overrides: Overrides = None,
    workers: Workers = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    manual_dir: ManualDir = None,
    executor: Executor = Executors.PROCESSES,
    gpus_per_worker: GpusPerWorker = 0.0,
    journal_dir: JournalDir = None,
) -> None:
    """Launches a campaign; launching it again continues it."""
    from search.cli.ending import print_ending
    from search.cli.keys import on_q
    from search.cli.progress import progress_for

    site = site_of(
        runs_dir=runs_dir,
        manual_dir=manual_dir,
        workers=workers,
        executor=executor,
        gpus_per_worker=gpus_per_worker,
        journal_dir=journal_dir,
    )
    campaign = _asked(campaign_file, overrides or [], site)
    try:
        with on_q(partial(stop, campaign)):
            with progress_for(campaign.settings, campaign.folder) as progress:
                result = campaign.run(
                    observers=[progress], announce=progress.announce, progress=False
                )
            print_ending(campaign, result)
            if result.interrupted:
                say(how_to_go_on())
                raise typer.Exit(INTERRUPTED)
            # Parts of the best are measured where finals have made it worth the time.
            say("writing the report")
            is_complete = report_at_end(campaign, measure=campaign.settings.finals is not None)
    except KeyboardInterrupt:
        say(f"stopped at once, all but the running batch is kept: {how_to_go_on()}")
        raise typer.Exit(INTERRUPTED) from None
    if not is_complete:
        say(f"the ablation is incomplete: {how_to_go_on()}")
        raise typer.Exit(INTERRUPTED)


def _asked(source: str, overrides: Sequence[str], site: Site) -> Campaign:
    """What is to be launched; the copy that a launch has left in a campaign's folder is it."""
    from search.launching.campaign_copy import is_copy_of_campaign
    from search.library.campaign import Campaign
    from search.settings.shipped import shipped_campaigns

    is_renamed = any(each.partition("=")[0].strip() == "name" for each in overrides)
    if is_copy_of_campaign(Path(source)) and not is_renamed:
        return found(str(Path(source).parent), overrides, site)
    if source in shipped_campaigns() or source.endswith(".toml"):
        return Campaign(source, overrides=overrides, site=site)
    return found(source, overrides, site)


def found(source: str, overrides: Sequence[str], site: Site) -> Campaign:
    """A file, or else a campaign that was launched, or else a shipped one."""
    from search.library.campaign import Campaign
    from search.standings.leaderboard import CampaignNotFoundError, find_campaign

    if Path(source).is_file():
        return Campaign(source, overrides=overrides, site=site)
    try:
        launched = Campaign.load(find_campaign(source, site.runs_dir), site=site)
    except CampaignNotFoundError as error:
        try:
            return Campaign(source, overrides=overrides, site=site)
        except FileNotFoundError as missing:
            raise FileNotFoundError(f"{error}; {missing}") from None
    if not overrides:
        return launched
    return Campaign(launched.settings, overrides=overrides, site=launched.site)


def stop(campaign: Campaign) -> None:
    """Stops after the running batches, as q asks."""
    campaign.stop()
    say("stopping after the running batch; Ctrl-C stops now, without that batch")


def how_to_go_on() -> str:
    """The command that was given, with its options: other ones might be another campaign."""
    return f"It goes on with: {shlex.join(['actsearch', *sys.argv[1:]])}"
