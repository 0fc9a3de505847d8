"""What a task trains on, as a value: where examples come from, and how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic.dataclasses import dataclass

from evaluators.sections import (
    STRICT,
    SectionError,
    check_table,
    deciding,
    read_section,
    section_of,
)


@dataclass(frozen=True, config=STRICT)
class Builtin:
    """A data set of this program's own table.

    Attributes:
        builtin: Its name there.
    """

    builtin: str

    @property
    def name(self) -> str:
        """What records call it."""
        return self.builtin


Data = Builtin
"""Any of them."""

_KINDS: Final[Mapping[str, type[Data]]] = {"builtin": Builtin}


def read_data(section: Any, *, place: str = "data") -> Data:
    """Data from a table of a task file; the one key that tells the kind is required.

    Raises:
        SectionError: With all that is wrong.
    """
    check_table(section, place=place)
    named = [key for key in _KINDS if key in section]
    if len(named) != 1:
        arrived = ", ".join(named) or "none"
        raise SectionError(
            [(place, f"exactly one of {', '.join(_KINDS)} says where they are, got {arrived}")]
        )
    return read_section(_KINDS[named[0]], section, place=place)


def data_section(data: Data) -> dict[str, Any]:
    """The table that `read_data` reads equal data from."""
    return section_of(data)


def deciding_data(data: Data) -> dict[str, Any]:
    """What of them decides on results."""
    return deciding(data)
