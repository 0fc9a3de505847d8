"""What to try next: strategies, racing, the journal of a campaign and its mirror in MLflow."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.library.campaign import Campaign

__all__ = ["Campaign"]


def __getattr__(name: str) -> Any:
    # Not before it is asked for: `actsearch --help` must not wait for JAX.
    if name == "Campaign":
        from search.library.campaign import Campaign

        return Campaign
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
