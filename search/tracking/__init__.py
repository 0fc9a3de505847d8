"""The mirror of a campaign, in MLflow unless told otherwise: a view of its journal."""

from search.tracking.destination import Destination, destination_of_campaign
from search.tracking.mirror import Mirror, MirrorStatus
from search.tracking.opening import open_store
from search.tracking.store import (
    Store,
    TrackingError,
    artifacts_path,
    check_place,
    database_path,
    store_uri,
)
from search.tracking.tracker import Shown, Step, Tracker
from search.tracking.trackers import check_destination
from search.tracking.views import candidates_link, charts_link, comparison_link, finals_link

__all__ = [
    "Destination",
    "Mirror",
    "MirrorStatus",
    "Shown",
    "Step",
    "Store",
    "Tracker",
    "TrackingError",
    "artifacts_path",
    "candidates_link",
    "charts_link",
    "check_destination",
    "check_place",
    "comparison_link",
    "database_path",
    "destination_of_campaign",
    "finals_link",
    "open_store",
    "store_uri",
]
