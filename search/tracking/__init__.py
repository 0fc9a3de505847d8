"""The MLflow mirror of a campaign: a view of its journal, rebuilt from it at any time."""

from search.tracking.mirror import Mirror, MirrorStatus
from search.tracking.store import (
    Store,
    TrackingError,
    artifacts_path,
    check_place,
    database_path,
    store_uri,
)
from search.tracking.views import candidates_link, charts_link, finals_link

__all__ = [
    "Mirror",
    "MirrorStatus",
    "Store",
    "TrackingError",
    "artifacts_path",
    "candidates_link",
    "charts_link",
    "check_place",
    "database_path",
    "finals_link",
    "store_uri",
]
