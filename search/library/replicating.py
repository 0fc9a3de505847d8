"""The settings of a campaign that is run from several seeds."""

from __future__ import annotations

from search.settings import Settings, SettingsError, settings_from
from search.settings.whole import LONGEST_NAME


def following(settings: Settings, seeds: int) -> list[Settings]:
    """The same campaign from the seeds that follow its own.

    Args:
        settings: Of the campaign.
        seeds: How many there are, its own among them.

    Returns:
        Settings of campaigns that are called `NAME-seed8`, `NAME-seed9` and so on.

    Raises:
        SettingsError: If there are no such seeds, or names would be too long.
    """
    if seeds < 1:
        raise SettingsError(f"a campaign is run from at least 1 seed, got {seeds}")
    document = settings.model_dump()
    return [
        settings_from(document | {"name": _name(settings.name, seed), "seed": seed})
        for seed in range(settings.seed + 1, settings.seed + seeds)
    ]


def _name(name: str, seed: int) -> str:
    found = f"{name}-seed{seed}"
    if len(found) > LONGEST_NAME:
        raise SettingsError(
            f"name: {found} has {len(found)} characters, and a campaign's name has at most "
            f"{LONGEST_NAME}; give the campaign a shorter one"
        )
    return found
