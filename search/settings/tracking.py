"""The section `[tracking]`: what is shown of a campaign, and where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from search.settings.passwords import passwords_in
from search.settings.section import Section

_Address = Annotated[str, Field(min_length=1, max_length=2_000)]


class TrackingSettings(Section):
    """What is shown of a campaign, and where.

    Attributes:
        mlflow: Whether anything is.
        candidate_runs: Which candidates get a run of their own: all, those promoted beyond the
            first rung, or none. Every candidate is in the campaign's table in any case.
        uri: Of the MLflow store, a server (https://...) or a database (postgresql://...); by
            default that of MLFLOW_TRACKING_URI, and without one, as with "embedded", the SQLite
            file in the runs directory.
        prefix: What the names of the campaign's experiments begin with, such as "team-a/".
        artifacts: Folder or address for artifacts; by default what the server has, and for a
            database the runs directory.
    """

    mlflow: bool = True
    candidate_runs: Literal["all", "promoted", "none"] = "promoted"
    uri: _Address | None = None
    prefix: Annotated[str, Field(max_length=200)] | None = None
    artifacts: _Address | None = None

    @field_validator("uri", "artifacts")
    @classmethod
    def _holds_no_secret(cls, uri: str | None) -> str | None:
        """What a campaign file holds is recorded, and shown to whoever may look."""
        if uri is not None and passwords_in(uri):
            raise ValueError(
                "an address in a campaign file must not hold a password, since it is recorded with "
                "the campaign; leave it out, and set MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, for a server, or PGPASSWORD "
                "for PostgreSQL; MLFLOW_TRACKING_URI may hold it"
            )
        return uri
