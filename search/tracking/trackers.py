"""The table of what a campaign can be shown by; a further one is one row here and its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from search.history import LaunchRecord
from search.tracking.destination import Destination
from search.tracking.mlflow_tracker import MLflowTracker
from search.tracking.opening import SCHEMES, check_store
from search.tracking.tracker import Shown, Tracker

Opener = Callable[[Destination, Shown, LaunchRecord], Tracker]
"""Opens the place of one campaign, which is made where it is absent."""

TRACKERS: Final[dict[str, Opener]] = dict.fromkeys(SCHEMES, MLflowTracker)
"""By what the address begins with."""


def open_tracker(destination: Destination, shown: Shown, launch: LaunchRecord) -> Tracker:
    """Opens the campaign's place in whatever shows it.

    Raises:
        TrackingError: If nothing here knows such addresses.
    """
    check_destination(destination)
    return TRACKERS[destination.scheme](destination, shown, launch)


def check_destination(destination: Destination) -> None:
    """Makes sure that something here can show a campaign there; nobody is asked yet.

    Raises:
        TrackingError: If nothing can.
    """
    if TRACKERS.get(destination.scheme, MLflowTracker) is MLflowTracker:
        check_store(destination)
