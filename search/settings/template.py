"""A campaign file to start from: what most people set, and everything else as comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from search.settings.finals import FinalsSettings
from search.settings.mapping import toml_value
from search.settings.whole import Settings

_WIDTH: Final = 96
_SECTIONS: Final = ("search", "scoring", "tracking", "stop")
# What a first campaign wants to decide; it takes a few minutes on two cores.
_DECIDED: Final[dict[str, dict[str, Any]]] = {
    "": {"seed": 1, "grammar": "core"},
    "search": {"population": 32},
    "scoring": {"rungs": [{"steps": 200}, {"steps": 800, "seeds": 2}], "reduction_factor": 4.0},
    "tracking": {},
    "stop": {"generations": 10},
}


def campaign_template(*, task: str = "mnist-mlp") -> str:
    """The text of a campaign file that runs as it is.

    Args:
        task: Of the campaign.
    """
    decided = {**_DECIDED[""], "task": task}
    lines = [
        "# A campaign, run by `actsearch launch FILE`. What is commented out has the value that is",
        "# shown; `actsearch tasks`, `strategies` and `grammar list` say what there is.",
        "",
        *_fields(Settings, decided, without=(*_SECTIONS, "finals")),
    ]
    for name in _SECTIONS:
        section = Settings.model_fields[name].annotation
        assert isinstance(section, type)
        lines += ["", f"[{name}]", *_fields(section, _DECIDED[name])]
    lines += [
        "",
        "# The last, honest comparison, on fresh seeds and test data; see docs/finals.md.",
        "# [finals]",
    ]
    lines += _fields(FinalsSettings, {})
    return "\n".join(lines) + "\n"


def described(model: type[BaseModel]) -> dict[str, str]:
    """What the docstring of a section says of each setting."""
    text = (model.__doc__ or "").partition("Attributes:\n")[2]
    found = re.findall(r"^        (\w+): (.*?)(?=^        \w|\Z)", text, re.DOTALL | re.MULTILINE)
    return {name: " ".join(meaning.split()) for name, meaning in found}


def _fields(
    model: type[BaseModel], decided: dict[str, Any], without: tuple[str, ...] = ()
) -> Iterator[str]:
    meanings = described(model)
    for name, field in model.model_fields.items():
        if name in without:
            continue
        if name in meanings:
            yield from (f"# {line}" for line in textwrap.wrap(meanings[name], _WIDTH))
        default = field.get_default(call_default_factory=True)
        if name in decided:
            yield f"{name} = {toml_value(decided[name])}"
        elif field.is_required():
            yield f'# {name} = "..."  # by default that of the file'
        elif default is None:
            yield f"# {name} =   # not set"
        else:
            yield f"# {name} = {toml_value(plain(default))}"


def plain(value: Any) -> Any:
    """A default as a campaign file could say it."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    return [plain(each) for each in value] if isinstance(value, tuple) else value
