"""Reads a campaign file, and names every problem that it has."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from grammars.reading.text_files import TextFileError, read_text
from grammars.reading.toml_files import MAX_FILE_BYTES, TomlError, parse_toml, read_toml
from search.settings.mapping import merged
from search.settings.scoring import Rung
from search.settings.section import SettingsError
from search.settings.whole import LONGEST_NAME, Settings

Model = TypeVar("Model", bound=BaseModel)

# Values of --set as a shell or Python writes them, where TOML writes another or nothing.
_SPELLINGS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "none": None}
_BARE_POINT: Final = re.compile(r"[+-]?(\d+\.|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_DIGEST_DIGITS: Final = 6
_SHOWN: Final = 80
# What is expected, in the words of the file and not of Python.
_TABLE: Final = "input should be a table, such as [section] or { key = value }"
_LIST: Final = "input should be a list in brackets"
_IN_TOML: Final[Mapping[str, str]] = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dataclass_type", "dict_type"), _TABLE),
    **dict.fromkeys(("tuple_type", "list_type"), _LIST),
    "string_pattern_mismatch": (
        f"a name has at most {LONGEST_NAME} letters, digits, dots, - and _, and begins with a "
        "letter or digit"
    ),
}
_TYPE: Final = re.compile(r"^(literal|dict|tuple|list|function|constrained)\b.*[\[(-]")


def load_settings(
    path: Path, overrides: Iterable[str] = (), *, changes: Mapping[str, Any] | None = None
) -> Settings:
    """Reads a campaign file.

    Args:
        path: A TOML file; the name of the campaign follows from that of the file unless it says
            otherwise.
        overrides: `key=value` texts that replace or add settings, such as `search.population=32`.
        changes: Settings that replace or add some, as a nested mapping.

    Raises:
        SettingsError: With every problem at once, each with its path in the file.
        FileNotFoundError: If there is no such file.
    """
    document = overridden(merged(_read(path), changes or {}), overrides)
    document.setdefault("name", campaign_name(path.stem))
    return checked(Settings, document, what=str(path))


def settings_from(document: Mapping[str, Any], overrides: Iterable[str] = ()) -> Settings:
    """Settings that are given in Python, as a nested mapping.

    Args:
        document: As a campaign file would hold them; the campaign needs a name.
        overrides: As for `load_settings`.

    Raises:
        SettingsError: With every problem at once.
    """
    return checked(Settings, overridden(document, overrides), what="the campaign")


def read_campaign_file(path: Path) -> str:
    """The text of a campaign file, as a launch keeps it.

    Raises:
        SettingsError: If it is no text, or too much of it.
        FileNotFoundError: If there is no such file.
    """
    try:
        return read_text(path, max_bytes=MAX_FILE_BYTES)
    except TextFileError as error:
        raise SettingsError(str(error)) from None


def campaign_name(stem: str) -> str:
    """The name that a campaign has from its file.

    Files of different names are different campaigns: what a name cannot hold is replaced, and a
    digest of the whole stem follows.

    Args:
        stem: Of the file, without its ending.
    """
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]", "-", plain).lstrip("._-")
    if name == stem and len(name) <= LONGEST_NAME:
        return name
    # macOS may write an umlaut as two characters, Linux as one.
    composed = unicodedata.normalize("NFC", stem).encode(errors="surrogateescape")
    digest = hashlib.sha256(composed).hexdigest()[:_DIGEST_DIGITS]
    return f"{name[: LONGEST_NAME - _DIGEST_DIGITS - 1] or 'campaign'}-{digest}"


def checked(model: type[Model], document: Mapping[str, Any], *, what: str) -> Model:
    """Settings from what was read.

    Args:
        model: Which settings.
        document: Their values.
        what: Where they come from, as messages call it.

    Raises:
        SettingsError: With every problem at once.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        problems = error.errors()
        own = [problem for problem in problems if not _is_echo(problem, problems)]
        lines = list(dict.fromkeys(_describe_problem(problem, model) for problem in own))
        count = f"{len(lines)} problem{'' if len(lines) == 1 else 's'}"
        raise SettingsError("\n".join([f"{what} has {count}:", *lines])) from None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no campaign file {path}; name one that is there, or a shipped campaign "
            "(`actsearch campaigns` lists them); `actsearch init FILE` writes one to start from"
        )
    try:
        return read_toml(path)
    except TomlError as error:
        raise SettingsError(str(error)) from None


def overridden(document: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """A document with `key=value` texts applied; see `load_settings`.

    Raises:
        SettingsError: If one of them is none.
    """
    changed = merged(document, {})
    for override in overrides:
        _apply_override(changed, override)
    return changed


def _apply_override(document: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not separator or not all(parts):
        raise SettingsError(
            f"--set expects key=value such as search.population=32, got {override!r}"
        )
    section = document
    for part in parts[:-1]:
        below = section.get(part, {})
        if not isinstance(below, dict):
            raise SettingsError(f"--set {override!r}: {part!r} is a value, not a section")
        section[part] = dict(below)  # a copy, since the sections are the caller's
        section = section[part]
    section[parts[-1]] = _value(text, key=key)


def _value(text: str, *, key: str) -> Any:
    """What stands after the `=` of an override; a bare word needs no quotes in quotes."""
    try:
        return parse_toml(f"value = {text}", what=f"--set {key}")["value"]
    except TomlError:
        word = text.strip()
    if word.lower() in _SPELLINGS:
        return _SPELLINGS[word.lower()]
    return float(word) if _BARE_POINT.fullmatch(word) else word


def _is_echo(problem: Any, problems: Sequence[Any]) -> bool:
    """Whether a list is said to be too short for want of an item that is wrong itself."""
    place = problem["loc"]
    return problem["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in problems
    )


def _describe_problem(problem: Any, model: type[BaseModel]) -> str:
    """One line for a pydantic error: its path, what is wrong, what arrived, what to do."""
    # Which of several types a value was taken for is no part of a file.
    parts = [str(part) for part in problem["loc"] if not _TYPE.search(str(part))]
    path = ".".join(parts) or "campaign"
    if problem["type"] == "extra_forbidden":
        return f"  {path}: unknown setting; {_nearest_setting(problem['loc'], model)}"
    message = _IN_TOML.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
    message = message.replace("True", "true").replace("False", "false")
    message = message[:1].lower() + message[1:]
    arrived = _as_toml(problem["input"])
    if isinstance(problem["input"], BaseModel) or (
        isinstance(problem["input"], Mapping) and problem["type"] not in _IN_TOML
    ):
        return f"  {path}: {message}"
    shown = arrived if len(arrived) <= _SHOWN else f"{arrived[: _SHOWN - 3]}..."
    return f"  {path}: {message}, got {shown}"


def _as_toml(value: Any) -> str:
    """A value as a file has it, nearly; JSON is close enough for what is told."""
    return json.dumps(value) if isinstance(value, bool) else repr(value)


def _nearest_setting(location: tuple[int | str, ...], model: Any) -> str:
    for part in location[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            model = Rung if part == "rungs" else _section(model.model_fields[part].annotation)
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


def _section(annotation: Any) -> Any:
    """The model that an annotation names, where it may also be None."""
    return next((part for part in get_args(annotation) if part is not type(None)), annotation)
