"""Reads a campaign file, and names every problem that it has."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from grammars.toml_files import TomlError, parse_toml, read_toml
from search.settings.scoring import Rung
from search.settings.section import SettingsError
from search.settings.whole import Settings


def load_settings(path: Path, overrides: Iterable[str] = ()) -> Settings:
    """Reads a campaign file.

    Args:
        path: A TOML file; the name of the campaign is that of the file unless it says otherwise.
        overrides: `key=value` texts that replace or add settings, such as `search.population=32`.

    Raises:
        SettingsError: With every problem at once, each with its path in the file.
        FileNotFoundError: If there is no such file.
    """
    document = _read(path)
    for override in overrides:
        _apply_override(document, override)
    document.setdefault("name", re.sub(r"[^A-Za-z0-9._-]", "-", path.stem))
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        lines = [_describe_problem(problem) for problem in error.errors()]
        count = f"{len(lines)} problem{'' if len(lines) == 1 else 's'}"
        raise SettingsError("\n".join([f"{path} has {count}:", *lines])) from None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no campaign file {path}")
    try:
        return read_toml(path)
    except TomlError as error:
        raise SettingsError(str(error)) from None


def _apply_override(document: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not separator or not all(parts):
        raise SettingsError(
            f"--set expects key=value such as search.population=32, got {override!r}"
        )
    try:
        value = parse_toml(f"value = {text}", what=f"--set {key}")["value"]
    except TomlError:
        value = text.strip()  # a bare word, so that --set task=mnist-mlp needs no inner quotes
    section = document
    for part in parts[:-1]:
        section = section.setdefault(part, {})
        if not isinstance(section, dict):
            raise SettingsError(f"--set {override!r}: {part!r} is a value, not a section")
    section[parts[-1]] = value


def _describe_problem(problem: Any) -> str:
    """One line for a pydantic error: its path, what is wrong, what arrived, what to do."""
    path = ".".join(str(part) for part in problem["loc"]) or "campaign"
    if problem["type"] == "extra_forbidden":
        return f"  {path}: unknown setting; {_nearest_setting(problem['loc'])}"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    arrived = repr(problem["input"])
    if isinstance(problem["input"], (Mapping, BaseModel)):
        return f"  {path}: {message}"
    return f"  {path}: {message}, got {arrived if len(arrived) <= 80 else arrived[:77] + '...'}"


def _nearest_setting(location: tuple[int | str, ...]) -> str:
    model: Any = Settings
    for part in location[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = Rung if part == "rungs" else _section(model.model_fields[part].annotation)
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


def _section(annotation: Any) -> Any:
    """The model that an annotation names, where it may also be None."""
    return next((part for part in get_args(annotation) if part is not type(None)), annotation)
