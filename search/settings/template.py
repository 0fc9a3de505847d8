"""A campaign file to start from: what most people set, and everything else as comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, get_args

from pydantic import BaseModel

from search.settings.mapping import toml_value
from search.settings.section import Section
from search.settings.whole import Settings

_WIDTH: Final = 96
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
        *_fields(Settings, decided),
    ]
    for each in sections():
        lines.append("")
        if each.is_optional:
            lines += [f"# {line}" for line in textwrap.wrap(each.meaning, _WIDTH)]
        lines.append(f"# [{each.name}]" if each.is_optional else f"[{each.name}]")
        lines += _fields(each.model, _DECIDED.get(each.name, {}))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class SectionOf:
    """A table of a campaign file.

    Attributes:
        name: With dots, as the file names it.
        model: Its settings.
        is_optional: Whether nothing is done without it.
    """

    name: str
    model: type[Section]
    is_optional: bool

    @property
    def meaning(self) -> str:
        """The first sentence of what it says of itself."""
        return (self.model.__doc__ or "").partition("\n")[0]


def sections(model: type[BaseModel] = Settings, above: str = "") -> Iterator[SectionOf]:
    """Every table that a campaign file may have, each before those within it."""
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner is not None:
            is_optional = field.annotation is not inner
            yield SectionOf(f"{above}{name}", inner, is_optional)
            yield from sections(inner, f"{above}{name}.")


def _section(annotation: Any) -> type[Section] | None:
    """That a setting is, or may be left out as."""
    of_union = get_args(annotation) if isinstance(annotation, UnionType) else ()
    for each in (annotation, *of_union):
        if isinstance(each, type) and issubclass(each, Section):
            return each
    return None


def described(model: type[BaseModel]) -> dict[str, str]:
    """What the docstring of a section says of each setting."""
    text = (model.__doc__ or "").partition("Attributes:\n")[2]
    found = re.findall(r"^        (\w+): (.*?)(?=^        \w|\Z)", text, re.DOTALL | re.MULTILINE)
    return {name: " ".join(meaning.split()) for name, meaning in found}


def _fields(model: type[BaseModel], decided: dict[str, Any]) -> Iterator[str]:
    meanings = described(model)
    for name, field in model.model_fields.items():
        if _section(field.annotation) is not None:
            continue
        if name in meanings:
            yield from (f"# {line}" for line in textwrap.wrap(meanings[name], _WIDTH))
        default = field.get_default(call_default_factory=True)
        if name in decided:
            yield f"{name} = {toml_value(decided[name])}"
        elif model is Settings and field.is_required():
            yield f'# {name} = "..."  # by default that of the file'
        elif field.is_required():
            yield f"# {name} =   # required"
        elif default is None:
            yield f"# {name} =   # not set"
        else:
            yield f"# {name} = {toml_value(plain(default))}"


def plain(value: Any) -> Any:
    """A default as a campaign file could say it."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    return [plain(each) for each in value] if isinstance(value, tuple) else value
