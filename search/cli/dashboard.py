"""`actsearch dashboard` and `actsearch sync`: campaigns in MLflow."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from search.cli.options import DEFAULT_RUNS_DIR, INTERRUPTED, RunsDir, say

if TYPE_CHECKING:
    from search.tracking.dashboard import CampaignLinks

START_SECONDS: Final = 180.0
CAMPAIGNS_SHOWN: Final = 10


def dashboard_command(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="To listen on; 0 takes a free one.")
    ] = 5000,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Shows the campaigns in the MLflow UI, on this machine only, until Ctrl-C."""
    if not runs_dir.is_dir():
        raise FileNotFoundError(f"there is no runs directory {runs_dir}; launch a campaign first")
    try:
        with _ended_by_sigterm():
            _serve(runs_dir, port)
    except KeyboardInterrupt:
        say("the dashboard has ended")
        raise typer.Exit(INTERRUPTED) from None


def sync_command(
    campaign: Annotated[
        str, typer.Argument(help="A campaign's name, or its folder.", metavar="CAMPAIGN")
    ],
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Writes what is missing of a campaign to MLflow, from its journal alone."""
    from search.journal.journal import FILE_NAME
    from search.standings.leaderboard import find_campaign
    from search.texts.commands import command
    from search.tracking import Destination, Mirror

    folder = find_campaign(campaign, runs_dir)
    Mirror(
        folder / FILE_NAME, destination=Destination(folder.parent), campaign_dir=folder
    ).catch_up()
    shown = command("dashboard", runs_dir=folder.parent)
    say(f"MLflow holds all of {folder.name}; `{shown}` shows it")


def _serve(runs_dir: Path, port: int) -> None:
    from search.tracking.dashboard import HOST, Dashboard, campaign_links

    say("starting the MLflow server; this takes about 16 s, more on a busy machine")
    with Dashboard(runs_dir, port=port) as dashboard:
        links = campaign_links(runs_dir, dashboard.url)
        dashboard.wait_until_ready(timeout_seconds=START_SECONDS)
        _show(links, dashboard.url)
        say(f"listening on {HOST} only; Ctrl-C ends it")
        dashboard.wait()


def _show(links: Sequence[CampaignLinks], url: str) -> None:
    if not links:
        print(f"no campaign is in MLflow yet; the dashboard is at {url}", flush=True)
    for place in links[:CAMPAIGNS_SHOWN]:
        print(place.campaign)
        print(f"  charts      {place.charts}")
        print(f"  candidates  {place.candidates}", flush=True)
        if place.finals is not None:
            print(f"  finals      {place.finals}", flush=True)
    if (hidden := len(links) - CAMPAIGNS_SHOWN) > 0:
        print(f"and {hidden} older ones at {url}", flush=True)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Lets SIGTERM end the dashboard as Ctrl-C does, so that its server never stays behind."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
