"""Where a campaign is shown: the address of a store, and what its names begin with there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from search.history import find_settings
from search.journal.journal import FILE_NAME, Journal
from search.settings.passwords import passwords_in, without_passwords

EMBEDDED: Final = "embedded"
URI_VARIABLE: Final = "MLFLOW_TRACKING_URI"


@dataclass(frozen=True)
class Destination:
    """Where a campaign is shown.

    Attributes:
        runs_dir: Of the campaign.
        uri: Of the store; None for the SQLite file in the runs directory.
        prefix: What the names of experiments begin with.
        artifacts: Folder or address for artifacts; None for the usual place.
    """

    runs_dir: Path
    uri: str | None = None
    prefix: str = ""
    artifacts: str | None = None

    @classmethod
    def of(
        cls,
        tracking: Mapping[str, Any],
        runs_dir: Path,
        *,
        uri: str | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> Destination:
        """Where a campaign's settings say that it is shown.

        Args:
            tracking: The section `[tracking]`, as JSON, of whichever version.
            runs_dir: Of the campaign.
            uri: Replaces that of the settings.
            environment: Names a store where the settings name none.
        """
        chosen = uri or tracking.get("uri") or environ_uri(environment)
        return cls(
            runs_dir,
            None if chosen == EMBEDDED else chosen,
            tracking.get("prefix") or "",
            tracking.get("artifacts"),
        )

    @property
    def scheme(self) -> str:
        """What the address begins with, which says whose it is; without a database's driver."""
        if self.uri is None:
            return EMBEDDED
        return self.uri.partition(":")[0].partition("+")[0].lower()

    @property
    def is_server(self) -> bool:
        """Whether it is an MLflow tracking server, which has pages of its own."""
        return self.scheme in ("http", "https")

    @property
    def url(self) -> str:
        """Address of a server's first page, without credentials."""
        return self.shown.rstrip("/")

    @property
    def shown(self) -> str:
        """The address as people may see it."""
        if self.uri is None:
            return str(self.runs_dir / "mlflow.db")
        address = without_passwords(self.uri) if passwords_in(self.uri) else self.uri
        parts = urlsplit(address)
        if parts.username is None or not self.is_server:
            return address
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def digest(self) -> str:
        """Distinguishes stores, whoever's credentials are used."""
        return hashlib.sha256(self.shown.encode()).hexdigest()[:8]

    def without_secrets(self, text: str) -> str:
        """A text, such as an error, with the password of the address left out."""
        for secret in passwords_in(self.uri or ""):
            text = text.replace(secret, "***")
        return text


def destination_of_campaign(folder: Path, *, uri: str | None = None) -> Destination:
    """Where the last launch of a campaign showed it.

    Args:
        folder: Of the campaign.
        uri: Replaces that of its settings.
    """
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        settings = find_settings(journal) or {}
    return Destination.of(settings.get("tracking", {}), folder.parent, uri=uri)


def environ_uri(environment: Mapping[str, str]) -> str | None:
    """The store that the environment names, if it does."""
    return environment.get(URI_VARIABLE) or None
