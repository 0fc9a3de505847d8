"""`actsearch dashboard` and `actsearch sync`: campaigns in MLflow."""

from __future__ import annotations

import signal
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from search.cli.options import DEFAULT_RUNS_DIR, INTERRUPTED, RunsDir, say

if TYPE_CHECKING:
    from search.tracking import Destination
    from search.tracking.dashboard import CampaignLinks

START_SECONDS: Final = 180.0
CAMPAIGNS_SHOWN: Final = 10


def dashboard_command(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="To listen on; 0 takes a free one.")
    ] = 5000,
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URI", help="Another MLflow store than the campaigns'."),
    ] = None,
    opened: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Prints links to campaigns in MLflow; serves a local store, on this machine only."""
    if not runs_dir.is_dir():
        raise FileNotFoundError(f"there is no runs directory {runs_dir}; launch a campaign first")
    try:
        with _ended_by_sigterm():
            _show_all(runs_dir, port, store, opened=opened)
    except KeyboardInterrupt:
        say("the dashboard has ended")
        raise typer.Exit(INTERRUPTED) from None


def sync_command(
    campaign: Annotated[
        str, typer.Argument(help="A campaign's name, or its folder.", metavar="CAMPAIGN")
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="URI", help="Another store than that of its settings."),
    ] = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Writes what is missing of a campaign to MLflow, from its journal alone."""
    from search.journal.journal import FILE_NAME
    from search.standings.leaderboard import find_campaign
    from search.texts.commands import command
    from search.tracking import Mirror, destination_of_campaign

    folder = find_campaign(campaign, runs_dir)
    destination = destination_of_campaign(folder, uri=to)
    Mirror(folder / FILE_NAME, destination=destination, campaign_dir=folder).catch_up()
    chosen = ("--store", destination.shown) if to and destination.uri else ()
    shown = command("dashboard", *chosen, runs_dir=folder.parent)
    place = f" at {destination.shown}" if destination.uri else ""
    say(f"MLflow{place} holds all of {folder.name}; `{shown}` shows it")


def _show_all(runs_dir: Path, port: int, uri: str | None, *, opened: bool) -> None:
    """Prints links to every server that campaigns are on, and serves one of the other stores."""
    from search.tracking.dashboard import campaign_links, stores_of

    stores = stores_of(runs_dir, uri=uri)
    for store in (each for each in stores if each.is_server):
        _show(campaign_links(store, store.url), store.url, opened=opened)
    own = [each for each in stores if not each.is_server]
    for store in own[1:]:
        say(f"campaigns are in {store.shown} as well; `--store {store.shown}` shows it")
    if own:
        _serve(own[0], port, opened=opened)


def _serve(store: Destination, port: int, *, opened: bool) -> None:
    from search.tracking.dashboard import HOST, Dashboard, campaign_links

    say("starting the MLflow server; this takes about 16 s, more on a busy machine")
    with Dashboard(store, port=port) as dashboard:
        links = campaign_links(store, dashboard.url)
        dashboard.wait_until_ready(timeout_seconds=START_SECONDS)
        _show(links, dashboard.url, opened=opened)
        say(f"listening on {HOST} only; Ctrl-C ends it")
        dashboard.wait()


def _show(links: Sequence[CampaignLinks], url: str, *, opened: bool) -> None:
    if not links:
        print(f"no campaign is in MLflow yet; the dashboard is at {url}", flush=True)
    for place in links[:CAMPAIGNS_SHOWN]:
        print(place.campaign)
        print(f"  charts      {place.charts}")
        print(f"  candidates  {place.candidates}")
        print(f"  compared    {place.comparison}", flush=True)
        if place.finals is not None:
            print(f"  finals      {place.finals}", flush=True)
    if (hidden := len(links) - CAMPAIGNS_SHOWN) > 0:
        print(f"and {hidden} older ones at {url}", flush=True)
    if opened:
        webbrowser.open(links[0].charts if links else url)


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
