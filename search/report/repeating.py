"""The command that repeats a campaign, and the settings that it repeats."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from search.report.findings import Findings
from search.settings import Settings


def commands(found: Findings) -> str:
    """What to type to get the same campaign, given the campaign file.

    Settings that were given on the command line at launch are recovered: they are what the journal
    has otherwise than the file.
    """
    name = found.name
    overrides = "".join(f" --set {shlex.quote(text)}" for text in _overrides(found.launched))
    lines = [f"actsearch launch {shlex.quote(name)}.toml{overrides}"]
    return "\n".join([*lines, f"actsearch report {shlex.quote(name)}"])


def settings_table(launched: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Data, versions and settings as rows of two texts."""
    dataset = launched["dataset"]
    rows = [("data set", str(dataset["name"])), ("its source", str(dataset["source"]))]
    rows += [(f"version of {name}", str(text)) for name, text in launched["versions"].items()]
    flat = _flattened(launched["settings"])
    return rows + [(name, _toml(value)) for name, value in flat.items() if value is not None]


def _overrides(launched: Mapping[str, Any]) -> Iterator[str]:
    recorded = launched["settings"]
    try:
        document = tomllib.loads(launched["campaign_file"])
        document.setdefault("name", recorded["name"])
        filed = Settings.model_validate(document).model_dump(mode="json")
    except (tomllib.TOMLDecodeError, ValidationError, RecursionError):
        return
    before, now = _flattened(filed), _flattened(recorded)
    for name, value in now.items():
        if value != before.get(name) and value is not None:
            yield f"{name}={_toml(value)}"


def _flattened(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, Mapping):
            flat.update(_flattened(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _toml(value: Any) -> str:
    """A value as a campaign file writes it."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(below)}" for key, below in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
