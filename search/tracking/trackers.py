"""The table of what a campaign can be shown by; a further one is one row here and its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from search.history import LaunchRecord
from search.tracking.destination import EMBEDDED, Destination
from search.tracking.mlflow_tracker import MLflowTracker
from search.tracking.store import TrackingError
from search.tracking.tracker import Shown, Tracker

Opener = Callable[[Destination, Shown, LaunchRecord], Tracker]
"""Opens the place of one campaign, which is made where it is absent."""

TRACKERS: Final[dict[str, Opener]] = {
    EMBEDDED: MLflowTracker,
}
"""By the scheme of the address."""


def open_tracker(destination: Destination, shown: Shown, launch: LaunchRecord) -> Tracker:
    """Opens the campaign's place in whatever shows it.

    Raises:
        TrackingError: If nothing here knows such addresses.
    """
    opener = TRACKERS.get(destination.scheme)
    if opener is None:
        raise TrackingError(
            f"nothing here can show a campaign at {destination.uri!r}; known addresses begin with "
            f"{', '.join(f'{scheme}:' for scheme in sorted(TRACKERS) if scheme != EMBEDDED)}"
        )
    return opener(destination, shown, launch)
