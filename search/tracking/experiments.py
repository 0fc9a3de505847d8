"""A campaign's experiments in a store, told from those of others that bear the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from search.tracking import names
from search.tracking.store import MlflowStore, TrackingError
from search.tracking.tracker import Shown

Part = Literal["campaign", "candidates", "finals"]

_BELOW: Final[Mapping[Part, str]] = {
    "campaign": "",
    "candidates": "/candidates",
    "finals": "/finals",
}
_ID_DIGITS: Final = 8


class Experiments:
    """The experiments of one campaign.

    They are found by the tag that holds the campaign's identity, however they are called by now.
    Where the name is somebody else's, the identity becomes part of ours.
    """

    def __init__(self, store: MlflowStore, shown: Shown, *, prefix: str = "") -> None:
        """Looks up which there are, and makes that of the campaign's own run.

        Args:
            store: An open one.
            shown: The campaign.
            prefix: What the names of new experiments begin with.
        """
        self._store, self._client = store, store.client
        self._identity = shown.identity
        self._wanted = f"{prefix}{shown.name}"
        self._known: dict[str, Any] = {}
        own = f"tags.`{names.IDENTITY}` = '{shown.identity}'"
        for found in self._client.search_experiments(view_type=_all(), filter_string=own):
            self._known[found.tags.get(names.PART, "")] = found
        self.title = self._wanted
        """Name of the campaign's experiment."""

    def id_of(self, part: Part, tags: Mapping[str, str]) -> str:
        """The id of an experiment, made where absent and restored where it was deleted."""
        tags = {**tags, names.IDENTITY: self._identity, names.PART: part}
        found = self._known.get(part)
        if found is None:
            found = self._known[part] = self._claimed(part, tags)
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        for key, value in tags.items():
            # What an earlier version saved may lack what this one draws.
            if key.startswith(names.SHARED_VIEW) and found.tags.get(key, value) != value:
                self._client.set_experiment_tag(found.experiment_id, key, value)
        if part == "campaign":
            self.title = str(found.name)
        return str(found.experiment_id)

    def _claimed(self, part: Part, tags: Mapping[str, str]) -> Any:
        for name in self._names(part):
            found = self._made(name, tags)
            if found is not None and self._is_ours(found):
                for key, value in tags.items() if names.IDENTITY not in found.tags else ():
                    self._client.set_experiment_tag(found.experiment_id, key, value)
                return found
        raise TrackingError(
            f"experiments called {' and '.join(self._names(part))} exist and are not this "
            "campaign's; set tracking.prefix to what your names shall begin with"
        )

    def _names(self, part: Part) -> Iterator[str]:
        own = self._wanted if part == "campaign" else self.title
        for name in dict.fromkeys((own, f"{own}-{self._identity[:_ID_DIGITS]}")):
            yield f"{name}{_BELOW[part]}"

    def _made(self, name: str, tags: Mapping[str, str]) -> Any:
        """The experiment of that name, made where absent; None where we may not see it."""
        from mlflow.exceptions import MlflowException

        try:
            if found := self._client.get_experiment_by_name(name):
                return found
            location = self._store.artifact_location(name)
            made = self._client.create_experiment(name, location, dict(tags))
            return self._client.get_experiment(made)
        except MlflowException as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":  # somebody was faster by a moment
                return self._client.get_experiment_by_name(name)
            if error.error_code == "PERMISSION_DENIED":
                return None
            raise

    def _is_ours(self, experiment: Any) -> bool:
        """A store of our own may have been written before experiments had identities."""
        owner = experiment.tags.get(names.IDENTITY)
        return owner == self._identity or (owner is None and not self._store.is_shared)


def _all() -> int:
    from mlflow.entities import ViewType

    return int(ViewType.ALL)
