"""Settings that are given in Python, and the campaign file that says the same."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any


def merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A document with some of its values replaced; a section keeps what is not named."""
    result = dict(document)
    for key, value in changes.items():
        before = result.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            result[key] = merged(before, value)
        else:
            result[key] = value
    return result


def toml_text(document: Mapping[str, Any]) -> str:
    """The campaign file that reads as these settings; what is None is left out."""
    return "\n".join(_lines(document)) + "\n"


def toml_value(value: Any) -> str:
    """A value as a campaign file writes it."""
    if isinstance(value, Mapping):
        pairs = ((key, below) for key, below in value.items() if below is not None)
        return "{ " + ", ".join(f"{_key(key)} = {toml_value(below)}" for key, below in pairs) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else f"{'-' if value < 0 else ''}inf"
    return json.dumps(value, ensure_ascii=False)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    present = {key: value for key, value in document.items() if value is not None}
    for key, value in present.items():
        if not isinstance(value, Mapping):
            yield f"{_key(key)} = {toml_value(value)}"
    for key, section in present.items():
        if isinstance(section, Mapping):
            yield f"\n[{_key(key)}]"
            for below, value in section.items():
                if value is not None:
                    yield f"{_key(below)} = {toml_value(value)}"


def _key(text: str) -> str:
    is_bare = text.isascii() and text.replace("_", "").replace("-", "").isalnum()
    return text if is_bare else json.dumps(text, ensure_ascii=False)
