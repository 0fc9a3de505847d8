"""The verbs `dashboard` and `sync`: looking at campaigns in MLflow."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from search.dashboard import (
    HOST,
    CampaignLinks,
    Dashboard,
    DashboardError,
    PortInUseError,
    campaign_links,
)
from search.journal import FILE_NAME, JournalError
from search.leaderboard import CampaignNotFoundError, find_campaign
from search.tracking import Mirror, TrackingError

START_SECONDS: Final = 180.0
CAMPAIGNS_SHOWN: Final = 10

OUR_FAULT, USERS_FAULT, INTERRUPTED = 1, 2, 130

RunsDir = Annotated[
    Path, typer.Option("--runs-dir", help="Where campaigns and the MLflow store live.")
]


def dashboard_command(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="To listen on; 0 takes a free one.")
    ] = 5000,
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Shows the campaigns in the MLflow UI, on this machine only, until Ctrl-C."""
    try:
        with _ended_by_signals():
            _serve(runs_dir, port)
    except KeyboardInterrupt:
        _say("the dashboard has ended")
        raise typer.Exit(INTERRUPTED) from None
    except (PortInUseError, FileNotFoundError) as error:
        _fail(error, USERS_FAULT)
    except DashboardError as error:
        _fail(error, OUR_FAULT)


def sync_command(
    campaign: Annotated[str, typer.Argument(help="A campaign's name or its folder.")],
    runs_dir: RunsDir = Path("runs"),
) -> None:
    """Writes what is missing of a campaign to MLflow, from its journal alone."""
    try:
        folder = find_campaign(campaign, runs_dir).resolve()
        Mirror(folder / FILE_NAME, store=folder.parent, campaign_dir=folder).catch_up()
    except (CampaignNotFoundError, JournalError) as error:
        _fail(error, USERS_FAULT)
    except TrackingError as error:
        _fail(error, OUR_FAULT)
    _say(f"MLflow holds all of {folder.name}; `actsearch dashboard` shows it")


def _serve(runs_dir: Path, port: int) -> None:
    if not runs_dir.is_dir():
        raise FileNotFoundError(f"there is no runs directory {runs_dir}; launch a campaign first")
    _say("starting the MLflow server; this takes about 16 s, more on a busy machine")
    with Dashboard(runs_dir, port=port) as dashboard:
        links = campaign_links(runs_dir, dashboard.url)
        dashboard.wait_until_ready(timeout_seconds=START_SECONDS)
        _show(links, dashboard.url)
        dashboard.wait()


def _show(links: list[CampaignLinks], url: str) -> None:
    if not links:
        print(f"no campaign is in MLflow yet; the dashboard is at {url}", flush=True)
    for place in links[:CAMPAIGNS_SHOWN]:
        print(place.campaign)
        print(f"  charts      {place.charts}")
        print(f"  candidates  {place.candidates}", flush=True)
    if (hidden := len(links) - CAMPAIGNS_SHOWN) > 0:
        print(f"and {hidden} older ones at {url}", flush=True)
    _say(f"listening on {HOST} only; Ctrl-C ends it")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Lets SIGTERM end the dashboard as Ctrl-C does, so that its server never stays behind."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _fail(error: Exception, status: int) -> NoReturn:
    _say(str(error))
    raise typer.Exit(status)
