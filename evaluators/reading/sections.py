"""Sections of a task file, read into frozen values with every problem told at its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

STRICT: Final = ConfigDict(extra="forbid", strict=True)
"""Of the dataclasses that sections are read into: no unknown key, no number for a text."""

T = TypeVar("T")


class SectionError(ValueError):
    """A section that cannot be used.

    Attributes:
        problems: Each with the dotted path of its key and a sentence.
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {sentence}" for path, sentence in problems))
        self.problems = problems


def read_section(value: Callable[..., T], section: Any, *, place: str) -> T:
    """A value from a table of a file.

    Args:
        value: A dataclass of pydantic's with the configuration `STRICT`.
        section: What stands in the file.
        place: The dotted path of the table.

    Raises:
        SectionError: With all that is wrong.
    """
    check_table(section, place=place)
    try:
        return value(**section)
    except ValidationError as error:
        raise SectionError([_problem(each, value, place) for each in error.errors()]) from None


def check_table(section: Any, *, place: str) -> None:
    """Makes sure that it is one.

    Raises:
        SectionError: If it is not.
    """
    if section is None:
        raise SectionError([(place, "missing; it is required")])
    if not isinstance(section, Mapping):
        raise SectionError([(place, f"it must be a table, got {section!r}")])


def read_kind(
    kinds: Mapping[str, Callable[..., T]], section: Any, *, place: str, key: str = "kind"
) -> T:
    """A value of the kind that a table names.

    Args:
        kinds: What there is, by name.
        section: What stands in the file.
        place: The dotted path of the table.
        key: Under which it names its kind.

    Raises:
        SectionError: With all that is wrong.
    """
    check_table(section, place=place)
    kind = section.get(key)
    if not isinstance(kind, str) or kind not in kinds:
        raise SectionError([(f"{place}.{key}", _unknown_kind(kind, kinds))])
    rest = {name: each for name, each in section.items() if name != key}
    return read_section(kinds[kind], rest, place=place)


def section_of(value: Any) -> dict[str, Any]:
    """The table that `read_section` reads an equal value from, in JSON's types."""
    section: dict[str, Any] = TypeAdapter(type(value)).dump_python(value, mode="json")
    return section


def deciding(value: Any) -> dict[str, Any]:
    """The same without what is as by default, so that a younger setting changes no digest."""
    section: dict[str, Any] = TypeAdapter(type(value)).dump_python(
        value, mode="json", exclude_defaults=True
    )
    return section


def _unknown_kind(kind: Any, kinds: Mapping[str, Any]) -> str:
    there_are = f"there are {', '.join(kinds)}"
    if kind is None:
        return f"missing; {there_are}"
    near = difflib.get_close_matches(str(kind), kinds, n=1)
    return f"unknown, got {kind!r}; {f'did you mean {near[0]!r}? ' if near else ''}{there_are}"


def _problem(detail: Any, value: Any, place: str) -> tuple[str, str]:
    path = ".".join([place, *map(str, detail["loc"])])
    match detail["type"]:
        case "unexpected_keyword_argument":
            known = list(_names(value))
            near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            return path, f"unknown key; {hint}"
        case "missing" | "missing_argument":
            return path, "missing; it is required"
        case "value_error":
            return path, str(detail["msg"]).removeprefix("Value error, ")
    message = str(detail["msg"])
    return path, f"{message[:1].lower()}{message[1:]}, got {detail['input']!r}"


def _names(value: Any) -> Iterator[str]:
    if is_dataclass(value):
        yield from (field.name for field in fields(value))
