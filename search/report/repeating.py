"""The commands that repeat a campaign, and the settings that they repeat."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from itertools import chain

from pydantic import ValidationError

from search.history import LaunchRecord
from search.report.finals_options import finals_options
from search.report.findings import Findings
from search.settings import Settings
from search.settings.mapping import toml_value
from search.texts.commands import command
from search.texts.dotted import flatten


def commands(found: Findings, *, campaign_file: str | None = None) -> str:
    """What to type to get the same campaign, given the campaign file.

    Settings that were given on the command line at launch are recovered: they are what the journal
    has otherwise than the file. So are the options of finals that the launch does not hold itself.

    Args:
        found: The campaign.
        campaign_file: Where the file is; by default one that bears the campaign's name.
    """
    path = f"{found.name}.toml" if campaign_file is None else campaign_file
    named = [] if campaign_file is None else [f"name={found.name}"]
    overrides = [*named, *_overrides(found.launch)]
    sets = chain.from_iterable(("--set", text) for text in overrides)
    lines = [command("launch", path, *sets)]
    lines += (command("finals", found.name, *options) for options in _finals_options(found))
    return "\n".join([*lines, command("report", found.name)])


def settings_table(launch: LaunchRecord) -> list[tuple[str, str]]:
    """Data, versions and settings as rows of two texts."""
    dataset = launch.dataset
    rows = [("data set", str(dataset.name)), ("its source", str(dataset.source))]
    rows += [(f"version of {name}", str(text)) for name, text in launch.versions.items()]
    flat = flatten(launch.settings)
    return rows + [(name, toml_value(value)) for name, value in flat.items() if value is not None]


def _finals_options(found: Findings) -> Iterator[list[str]]:
    """The options of finals that the launch does not hold; nothing if there are none of these."""
    if found.finals is None:
        return
    try:
        settings = Settings.model_validate(found.launch.settings)
    except ValidationError:
        return
    options = list(chain.from_iterable(finals_options(found.finals.plan, settings)))
    if options or settings.finals is None:
        yield options


def _overrides(launch: LaunchRecord) -> Iterator[str]:
    recorded = launch.settings
    try:
        document = tomllib.loads(launch.campaign_file.removeprefix("\ufeff"))
        document.setdefault("name", recorded["name"])
        filed = Settings.model_validate(document).model_dump(mode="json")
    except (tomllib.TOMLDecodeError, ValidationError, RecursionError):
        return
    before, now = flatten(filed), flatten(recorded)
    for name, value in now.items():
        if value != before.get(name) and value is not None:
            yield f"{name}={toml_value(value)}"
